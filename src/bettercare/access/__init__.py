"""Who may do what: users, roles, passwords, sign-in, sessions and tokens for programs.

A user is made with :func:`~bettercare.access.users.create_user`, shows who they are with :func:`~bettercare.access.sign_in.authenticate`, and is known
from then on by a session's token (:mod:`~bettercare.access.sessions`); a program carries a token of its own (:mod:`~bettercare.access.tokens`).
"""
