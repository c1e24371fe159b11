"""Pages and the HTTP API. No arithmetic here: what is shown is worked out in the rooms below. The door is :func:`bettercare.web.app.create_app`."""
