"""Groups of routes, a file each: they parse, call and render.

answers.py   POST /v1/recommend, /v1/search, /v1/predict
events.py    POST /v1/events
items.py     PUT and DELETE /v1/items/{id}
consents.py  POST /v1/consents
cases.py     GET and POST /v1/cases, POST /v1/cases/{id}/close
facts.py     GET /v1/release, /metrics, /healthz, /readyz
pages.py     / and /docs: pages that need no internet
"""
