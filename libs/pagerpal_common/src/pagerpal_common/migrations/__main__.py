"""`python -m pagerpal_common.migrations`: migrate the database of PAGERPAL_DATABASE_URL."""

from pagerpal_common.migrations import migrate
from pagerpal_common.migrations.environment import database_of_the_environment


def main() -> None:
    migrate(database_of_the_environment("which database is to be migrated?"))


if __name__ == "__main__":
    main()
