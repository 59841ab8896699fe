"""The whole stack on one machine, without containers: ``python -m stack up`` is what ``make up`` runs.

Data flow: settings (``environment.py``) -> engines prepared (``mongodb.py``, ``nats.py``) -> Procfile -> processes
(``supervisor.py``) -> one line when all of them are ready (``readiness.py``).
"""
