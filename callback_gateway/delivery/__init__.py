"""How events reach their targets: leased from the inbox, sent, judged, settled."""
