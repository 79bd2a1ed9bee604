"""Pages to take along: a page's own script is run once, and what it sends to a browser is written
into one file (HTML or ES module) that needs no server, or into tables and pictures.

`python -m export race --link "lr=0.02" --out race.html` is the way in for those who build courses.
"""
