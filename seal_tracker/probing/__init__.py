"""Equipment that does not tell by itself that it is there is asked: by HTTP, or by RTSP as cameras speak it.

asking   what is sent and what an answer says: requests, heads of answers, credentials; pure
exchange one exchange over a socket, within its time, with an address that may be asked
prober   who is asked when; an answer is a heartbeat, and goes the way of any other
"""
