"""Why was somebody told, and how? The chain that is stored with a notification, and that its message told of more."""

REASON = """
CASE WHEN merged_with = 0 THEN reason
     ELSE reason || jsonb_build_array('merged with ' || merged_with
                                      || CASE merged_with WHEN 1 THEN ' other' ELSE ' others' END
                                      || ' into one message') END
"""
"""SQL over the columns of `notification.notifications`. A message that tells of several is the notifier's answer to
more than anybody can read (docs/decisions/0026)."""
