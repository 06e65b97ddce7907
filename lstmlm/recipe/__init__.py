"""The recipe: one typed YAML file that describes a whole run. A module for each section."""

from lstmlm.recipe.file import load_recipe, parse_recipe
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.decoding import DecodingSection

__all__ = ["DecodingSection", "Recipe", "load_recipe", "parse_recipe"]
