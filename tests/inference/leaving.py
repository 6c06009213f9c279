"""Trainings that are left after some of their steps and taken up again."""

from ccvae.inference.runs.fitting import fit
from ccvae.stopping import Request, Stopped


def finished(begin, stops=()):
    """The run and the lines of a training that is left where ``stops`` say, until it is done.

    ``begin`` makes or resumes the run and gives it with what it trains on. Stops are counted in
    steps since it was taken up.
    """
    stops, lines = list(stops), []
    while True:
        run, rows = begin()
        request, done = Request(), []

        def watch(step, request=request, done=done):
            done.append(step)
            if stops and len(done) == stops[0]:
                stops.pop(0)
                request.signal = 2

        try:
            for line in fit(run, rows, resume=True, stop=request, watch=watch, log_every=1):
                lines.append(line)
            return run, lines
        except Stopped:
            continue
