"""What pyproject.toml cannot say: every package of this folder, found, is part of `spendscope`."""

from setuptools import find_packages, setup

ROOMS = find_packages(exclude=["tests", "tests.*"])

setup(
    packages=["spendscope", "spendscope.assets", *(f"spendscope.{room}" for room in ROOMS)],
    script_name="setup.py",  # so that this file is left out of the package
)
