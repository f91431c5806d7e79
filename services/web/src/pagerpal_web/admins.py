"""How is an admin made without one? By whoever may write the database: `scripts/create_admin.py`."""

from datetime import datetime

from pagerpal_common.db import Database
from pydantic import BaseModel, ConfigDict

from pagerpal_web.fields import Email, Name, Password
from pagerpal_web.passwords import Passwords
from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.users import save_admin, save_password


class NewAdmin(BaseModel):
    """An admin with a login."""

    model_config = ConfigDict(frozen=True)

    email: Email
    name: Name | None = None
    password: Password


async def make_admin(db: Database, admin: NewAdmin, at: datetime) -> tuple[int, bool]:
    """Make an active admin who logs in with this password; their id, and whether the account is new.

    Raises:
        Unprocessable: the password is one that guessers try first.
        DatabaseUnavailable: it cannot be reached, or has no tables yet.
    """
    passwords = Passwords()
    try:
        password_hash = await passwords.hash_new(admin.password, own=(admin.email, admin.name))
    finally:
        passwords.close()
    by = Author(None, at)
    async with db.begin() as tx:
        user_id, is_new = await save_admin(tx, email=admin.email, name=admin.name, by=by)
        await save_password(tx, user_id, password_hash, by)
    return user_id, is_new
