"""What administrators and people at the door do: organisations, users, keys, signing in.

    create_organisation(services, name) -> OrganisationRecord            the same name again: the same one
    organisations(services) -> tuple[OrganisationRecord, ...]
    create_user(services, organisation_id, *, email, name, scopes, password=None) -> UserRecord
    users(services, organisation_id=None) -> tuple[UserRecord, ...]
    set_password(services, user_id, password) -> None
    set_active(services, user_id, active) -> None
    create_key(services, organisation_id, *, name, scopes) -> tuple[KeyRecord, str]
    keys(services, organisation_id=None) -> tuple[KeyRecord, ...]
    revoke_key(services, organisation_id, key_id) -> None
    actor_of_key(services, presented, *, address="") -> Actor            401 for the API
    sign_in(services, email, password, *, address="") -> Actor           code `sign-in-refused`
    sign_in_link(services, user_id) -> str                               the one-time token, shown once
    sign_in_by_link(services, token, *, address="") -> Actor
    actor_of_user(services, user_id) -> Actor | None                     at each request of a session
    ensure_demo(services) -> Demo(organisation, user, key)               what `up` calls at each start

The key is in the answer of `create_key` only: it is shown once and stored as a keyed hash.
"""
