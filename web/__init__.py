"""The teaching page (``ccvae app``): its rooms, served on this machine and to this machine only.

===================  ==========================================================================
``/programs``        a program's figure, densities and sites, with its source beside them;
                     questions to its graph; somebody's pair, drawn anew when it is saved
``/objectives``      Table 1
``/train``           two programs that learn side by side, paused, stepped, scrubbed back
``/estimators``      bias and variance on problems of one dimension, computed in the browser
``/faces``           a trained run: sliders, interventions, and what the guide believes
===================  ==========================================================================

But for trainings (:mod:`ccvae.web.shelf`) the server keeps nothing between requests: each carries
all that its answer depends on, so people who use one page do not see each other's state. Whatever
runs Pyro runs on one thread of its own (:data:`ccvae.web.turns.PYRO`), because Pyro's handlers and
random numbers belong to the process; somebody's own pair runs in a process of its own
(:mod:`ccvae.web.looking`). :mod:`ccvae.web.export` records all rooms for a folder without a server.
"""
