"""A simulated phone network: Twilio as a server meets it, with a caller who talks, listens and hangs up.

``network.PhoneNetwork`` is the way in. It runs on asyncio and real time; nothing leaves the machine unless a
route leads there. ``python -m simulators.twilio --help`` places a call by hand, or from a page with a
microphone.
"""
