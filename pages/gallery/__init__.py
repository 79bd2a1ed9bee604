"""The loss gallery's four parts, a module each: fields, presets, controls, pictures, words.

To add a part, write a module with a PART like the others' and name it in the page's list.
"""
