"""What equipment has recorded of vehicles and seals (weighings, readings), and the rules that hold it against journeys. Pure.

The second stage across facts: see ``fact_space`` for how it is driven.
"""
