"""Each service of the mall alone: how much it serves with its database on two cores, and where its time goes.

``python -m bench.services`` -> bench/results/services.md
"""
