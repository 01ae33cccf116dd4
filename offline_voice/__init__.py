"""Hearing and speaking English on this machine alone: OpenAI's audio API over Piper and Whisper.

A process of its own with packages of its own, as Piper is under the GPL: the product speaks HTTP with it and
imports nothing of it.
"""
