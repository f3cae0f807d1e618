"""Answers to the exercises, a module a notebook: right ones written differently, and mistakes."""
