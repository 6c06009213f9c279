"""The cartoon face: from a person's random draws and labels to pixels.

Coordinates are centred on the head: x to the right and y down, in half image widths, so that a
pixel of a 64 × 64 image is 1/32. Everything a face consists of stands in its own band of y:

    −0.70 hair   −0.54 forehead and bangs   −0.28 eyebrows   −0.12 eyes and glasses
     0.10 cheeks and nose   0.24 mouth   0.44 chin and beard   0.70 shirt and tie

A label changes what stands in its band and nothing else, and every label shows in every image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .person import Person
from .render import Canvas, box, ellipse, hue, segment, stroke, wedge

HEAD = -0.15
"""The head's centre above the image's, in half image widths."""

MARGIN = 0.16
"""How far the camera can move a point, in half image widths: what a window is widened by."""

# One row a domain: background, then strength of the light, zoom and gain.
_BACKGROUNDS = ((0.58, 0.74, 0.92), (0.86, 0.78, 0.86), (0.34, 0.42, 0.52), (0.56, 0.78, 0.62))
_LIGHTS = (0.06, 0.12, 0.24, 0.16)
_ZOOMS = (1.0, 0.95, 1.04, 0.98)
_GAINS = (1.0, 1.04, 0.88, 0.95)


def draw(person: Person, domains: Tensor, size: int = 64, tags: tuple[str, ...] = ()) -> Canvas:
    """Draw a batch of faces.

    Args:
        person: draws and labels ``(B,)``.
        domains: the conditions ``(B,)``, integer codes 0 … 3.
        size: pixels along each side of the images.
        tags: the labels whose visible regions to keep.

    Returns:
        a canvas of images ``(B, 3, size, size)`` in [0, 1] with a mask for every tag.
    """
    canvas = _camera(person, domains, size, tags)
    _back_hair(canvas, person)
    _clothes(canvas, person)
    _tie(canvas, person)
    _head(canvas, person, domains)
    _age(canvas, person)
    _beard(canvas, person)
    _eyes(canvas, person)
    _brows(canvas, person)
    _nose(canvas, person)
    _mouth(canvas, person)
    _hair(canvas, person)
    _glasses(canvas, person)
    gain = canvas.image.new_tensor(_GAINS)[domains] * person.between("gain", 0.96, 1.04)[:, 0, 0]
    canvas.image.mul_(gain[:, None, None, None]).clamp_(0, 1)
    return canvas


def _camera(person: Person, domains: Tensor, size: int, tags: tuple[str, ...]) -> Canvas:
    """A canvas with the background on it, and the head's coordinates as the camera sees them."""
    grid = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = grid[None, :, None], grid[None, None, :]
    gradient = 1 + person.between("gradient", -0.12, 0.12) * y
    back = grid.new_tensor(_BACKGROUNDS)[domains]
    back = back + person.mix("background", (-0.04, 0.03, -0.03), (0.04, -0.03, 0.03))
    image = (back[:, :, None, None] * gradient[:, None]).repeat(1, 1, 1, size)
    zoom = grid.new_tensor(_ZOOMS)[domains][:, None, None] * person.between("zoom", 0.97, 1.03)
    x = (x - person.between("shift_x", -0.04, 0.04)) / zoom
    y = (y - HEAD - person.between("shift_y", -0.03, 0.03)) / zoom
    tangent = person.between("roll", -0.07, 0.07)
    cosine = 1 / (1 + tangent * tangent).sqrt()
    x, y = cosine * (x + tangent * y), cosine * (y - tangent * x)
    masks = {tag: torch.zeros_like(x) for tag in tags}
    return Canvas(x, y, image, masks, 2 / size)


def _band(canvas: Canvas, side: float, top: float, bottom: float) -> Canvas:
    """The window that shows these head coordinates wherever the camera stands."""
    edges = (-side - MARGIN, side + MARGIN, top + HEAD - MARGIN, bottom + HEAD + MARGIN)
    return canvas.window(*edges)


def _back_hair(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.66, -0.75, 0.7)
    length = person.between("hair_length", 0.0, 1.0)
    rx = person.width * person.between("hair_volume", 1.16, 1.32)
    top = -person.height * 1.18
    bottom = 0.1 + 0.5 * length
    distance = ellipse(canvas.x, canvas.y - (top + bottom) / 2, rx, (bottom - top) / 2)
    canvas.paint(distance, person.hair * 0.72, "Hair", present=person.haired)


def _clothes(canvas: Canvas, person: Person) -> None:
    neck = _band(canvas, 0.25, 0.4, 0.85)
    throat = box(neck.x, neck.y - 0.6, person.width * 0.42, 0.26, 0.05)
    neck.paint(throat, person.skin * 0.8, "Pale_Skin")
    chest = _band(canvas, 1.0, 0.62, 1.3)
    # Pastel shirts under saturated dark ties: every tie stands out from every shirt.
    shirt = hue(person.draws["shirt_hue"], 0.76 + 0.18 * person.draws["shirt_value"], 0.3)
    shoulders = ellipse(chest.x, chest.y - 1.2, person.between("shoulder", 0.72, 0.86), 0.54)
    chest.paint(shoulders, shirt)
    canvas = _band(canvas, 0.3, 0.62, 1.3)
    x, y = canvas.x, canvas.y
    canvas.paint(wedge(x, y, 0.62, 0.9, 0.17, 0.0), person.skin * 0.88, "Pale_Skin")
    collar = segment(x.abs(), y, (0.2, 0.66), (0.03, 0.9), 0.04)
    canvas.paint(collar, 0.4 * shirt + 0.6)


def _tie(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.3, 0.62, 1.3)
    x, y = canvas.x, canvas.y
    width = person.between("tie_width", 0.11, 0.15)
    tie = hue(person.draws["tie_hue"], 0.34 + 0.26 * person.draws["tie_value"], 0.85)
    on = person.has("Wearing_Necktie")
    blade = wedge(x, y, 0.8, 1.4, width * 0.75, width * 1.25)
    canvas.paint(blade, tie, "Wearing_Necktie", present=on)
    knot = wedge(x, y, 0.67, 0.83, width * 1.15, width * 0.7)
    canvas.paint(knot, tie * 0.72, "Wearing_Necktie", present=on)


def _head(canvas: Canvas, person: Person, domains: Tensor) -> None:
    canvas = _band(canvas, 0.6, -0.62, 0.62)
    x, y = canvas.x, canvas.y
    ears = ellipse(x.abs() - person.width, y - 0.02, 0.09, 0.13)
    canvas.paint(ears, person.skin * 0.86, "Pale_Skin")
    distance = ellipse(x, y, person.width, person.height)
    canvas.paint(distance - 0.02, person.skin * 0.74, "Pale_Skin")
    strength = x.new_tensor(_LIGHTS)[domains][:, None, None]
    light = 1 + strength * (person.between("light", -1.0, 1.0) * x - 0.4 * y)
    canvas.paint(distance, person.skin[:, :, None, None] * light[:, None], "Pale_Skin")


def _age(canvas: Canvas, person: Person) -> None:
    """Rosy cheeks of the young; furrowed foreheads, bags and folds of the old."""
    young = person.has("Young")
    cheeks = _band(canvas, 0.42, 0.05, 0.32)
    x, y = cheeks.x.abs(), cheeks.y
    blush = ellipse(x - 0.29, y - 0.19, 0.09, 0.065)
    rosy, strong = person.skin * x.new_tensor((1.0, 0.7, 0.68)), person.between("blush", 0.6, 0.9)
    cheeks.paint(blush, rosy, "Young", "Pale_Skin", present=young, opacity=strong)
    line = person.skin * person.between("wrinkle_depth", 0.5, 0.58)[:, :, 0]
    width = person.between("wrinkle_width", 0.021, 0.03)
    # Below the glasses and above the beard, so that age shows on a face that has both and bangs.
    bags = stroke(x - person.eye, y - 0.165, 0.105, -0.035, width)
    folds = torch.minimum(bags, segment(x, y, (0.21, 0.225), (0.31, 0.235), width))
    cheeks.paint(folds, line, "Young", "Pale_Skin", present=1 - young)
    brow = _band(canvas, 0.3, -0.5, -0.3)
    x, y = brow.x, brow.y - person.between("wrinkle_height", -0.02, 0.02)
    upper, lower = stroke(x, y + 0.46, 0.17, 0.03, width), stroke(x, y + 0.37, 0.24, 0.03, width)
    furrows = torch.minimum(upper, lower)
    brow.paint(furrows, line, "Young", "Pale_Skin", present=1 - young)


def _beard(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.5, 0.0, 0.72)
    x, y = canvas.x, canvas.y
    jaw_height = person.height - 0.02 + person.between("beard_length", 0.0, 0.08)
    jaw = ellipse(x, y - 0.04, person.width * 1.04, jaw_height)
    clean = ellipse(x, y, person.width * person.between("beard_width", 0.82, 0.9), 0.43)
    crescent = torch.maximum(torch.maximum(jaw, -clean), 0.02 - y)
    lip = stroke(x, y - 0.215, 0.13, 0.045, person.between("moustache", 0.03, 0.04))
    on = 1 - person.has("No_Beard")
    beard = torch.minimum(crescent, lip)
    canvas.paint(beard, person.hair * 0.86, "No_Beard", "Hair", present=on)


def _eyes(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.33, -0.1, 0.1)
    x, y = canvas.x.abs() - person.eye, canvas.y - person.between("eye_height", -0.015, 0.015)
    white = ellipse(x, y, 0.085, person.between("eye_open", 0.05, 0.068))
    gaze = torch.where(canvas.x < 0, -1.0, 1.0) * person.between("gaze", -0.025, 0.025)
    iris = torch.maximum(white, ellipse(x - gaze, y, 0.048, 0.048))
    canvas.paint(white, _grey(person, 0.97))
    canvas.paint(iris, person.mix("iris", (0.36, 0.22, 0.12), (0.16, 0.44, 0.56)))
    canvas.paint(ellipse(x - gaze, y, 0.026, 0.026), _grey(person, 0.05))


def _grey(person: Person, value: float) -> Tensor:
    """One shade of grey for everybody, ``(B, 3)``."""
    return torch.full((len(person.draws["roll"]), 3), value)


def _brows(canvas: Canvas, person: Person) -> None:
    """Eyebrows: level and low, or arched and high; dark whatever the hair."""
    canvas = _band(canvas, 0.4, -0.34, -0.1)
    arch = person.either("Arched_Eyebrows", "brow_shape", (-0.015, 0.01), (0.09, 0.13))
    height = person.between("brow_height", -0.01, 0.01) - 0.175 - 0.8 * arch
    x, y = canvas.x.abs() - person.eye - 0.005, canvas.y - height
    brows = stroke(x, y, 0.125, arch, person.between("brow_thickness", 0.028, 0.038))
    colour = person.mix("brow_tone", (0.10, 0.07, 0.07), (0.26, 0.15, 0.09))
    canvas.paint(brows, colour, "Arched_Eyebrows")


def _nose(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.1, 0.03, 0.18)
    x, y = canvas.x, canvas.y - person.between("nose_height", 0.1, 0.13)
    nose = stroke(x, y, person.between("nose_width", 0.045, 0.065), -0.045, 0.02)
    canvas.paint(nose, person.skin * 0.68, "Pale_Skin")


def _mouth(canvas: Canvas, person: Person) -> None:
    """An open smile with teeth, or closed lips that are level or turn down."""
    canvas = _band(canvas, 0.3, 0.2, 0.48)
    smiling = person.has("Smiling")
    half = person.either("Smiling", "mouth_width", (0.10, 0.14), (0.18, 0.22))
    curve = person.either("Smiling", "mouth_curve", (-0.055, 0.0), (0.03, 0.07))
    depth = person.either("Smiling", "mouth_open", (0.0, 0.0), (0.10, 0.14))
    middle = person.between("mouth_height", 0.315, 0.335) - 0.02 * smiling
    lip = person.mix("lip", (0.70, 0.20, 0.22), (0.82, 0.36, 0.38))
    x, y = canvas.x, canvas.y - middle
    u = (x / half).clamp(-1, 1)
    arc = 1 - u * u
    top, bottom = curve * arc, (curve + depth) * arc
    inside = torch.maximum(torch.maximum(top - y, y - bottom), x.abs() - half)
    canvas.paint(inside - 0.026, lip, "Smiling")
    canvas.paint(inside, _grey(person, 0.97), "Smiling", present=smiling)
    tongue = torch.maximum(inside, top + 0.55 * depth * arc - y)
    canvas.paint(tongue, lip * 0.5, "Smiling", present=smiling)


def _hair(canvas: Canvas, person: Person) -> None:
    """Hair on the head's front: a cap that frames the face, and bangs over the forehead."""
    canvas = _band(canvas, 0.56, -0.75, 0.1)
    x, y = canvas.x, canvas.y
    skull = ellipse(x, y + 0.03, person.width * 1.1, person.height * 1.13)
    rise = person.between("hairline", 0.53, 0.56)
    opening = ellipse(x, y - 0.1, person.width * 0.9, rise + 0.1)
    cap = torch.maximum(torch.maximum(skull, -opening), y - 0.02)
    canvas.paint(cap, person.hair, "Hair", present=person.haired)
    wave = x * 5 + person.between("bang_phase", 0.0, 1.0)
    wave = wave - wave.floor() - 0.5
    edge = person.between("bang_length", -0.345, -0.32) - 0.06 * wave * wave
    edge = edge + person.between("bang_sweep", -0.05, 0.05) * x
    bangs = torch.maximum(torch.maximum(skull, opening - 0.03), y - edge)
    shade = person.hair * person.between("bang_shade", 0.76, 0.84)[:, :, 0]
    on = person.has("Bangs") * person.haired
    canvas.paint(bangs, shade, "Bangs", "Hair", present=on)


def _glasses(canvas: Canvas, person: Person) -> None:
    canvas = _band(canvas, 0.5, -0.16, 0.17)
    x, y, on = canvas.x.abs(), canvas.y, person.has("Eyeglasses")
    thick = person.between("frame_thickness", 0.019, 0.029)
    height = person.between("frame_height", 0.08, 0.092)
    lens = box(x - person.eye, y, 0.135, height, person.between("frame_round", 0.04, 0.08))
    glare = person.between("lens", 0.1, 0.3)
    canvas.paint(lens, _grey(person, 1.0), "Eyeglasses", present=on, opacity=glare)
    inner, outer = person.eye - 0.135, person.eye + 0.135
    bridge = torch.maximum((y + 0.02).abs() - thick, x - inner)
    temple = torch.maximum((y + 0.03).abs() - thick, torch.maximum(outer - x, x - person.width))
    frame = torch.minimum(lens.abs() - thick, torch.minimum(bridge, temple))
    colour = hue(person.draws["frame_hue"], 0.24, 0.8)
    canvas.paint(frame, colour, "Eyeglasses", present=on)
