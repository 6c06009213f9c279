"""How studies draw and write: sheets of images, charts, sections of a report, tables."""
