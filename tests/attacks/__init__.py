"""What strangers try: real servers in processes of their own, raw sockets, and what it costs in CPU and memory."""
