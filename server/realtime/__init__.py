"""The realtime process: streams and sockets of many clients on one event loop."""
