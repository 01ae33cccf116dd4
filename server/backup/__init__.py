"""One archive that holds an installation: database, the link to WhatsApp, secrets."""
