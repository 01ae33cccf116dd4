"""Frontdesk: answers guests on WhatsApp and on the phone from the business's own knowledge."""
