"""Pictures of paired differences: every method is in them, and a paper gets the same bytes."""

from matplotlib.figure import Figure

from ccvae.studies.comparing import chances
from ccvae.studies.comparing.paired import differences

OFF = {"ccvae": (0, 0, 0), "sure": (0.0011, 0.001, 0.0012), "same": (0, 0, 0), "m2": (-0.1, 0, 0.1)}


def rows():
    return [
        {"method": name, "labelled": 0.2, "seed": seed, "chosen": True, "accuracy": 0.8 + off}
        for name, offs in OFF.items()
        for seed, off in enumerate(offs)
    ]


def test_a_method_without_any_difference_is_in_the_picture(monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", noted(drawn, Figure.savefig))
    (picture,) = chances.of_differences(rows(), differences(rows(), "ccvae"))
    (again,) = chances.of_differences(rows(), differences(rows(), "ccvae"))
    assert "same 0.0 [0.0, 0.0], the same on every seed" in picture.caption
    assert picture.pdf == again.pdf
    assert picture.pdf.startswith(b"%PDF")
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sure", "same", "m2"]
    heights = [max(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) > 2]
    assert heights == [1, 1]  # of the sure one and of the other, which would be flat beside it


def noted(drawn, save):
    def savefig(figure, *args, **kwargs):
        drawn.append(figure)
        return save(figure, *args, **kwargs)

    return savefig
