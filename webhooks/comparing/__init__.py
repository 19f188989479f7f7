"""What an account has, compared with what is here: the import of what was there before us, and the finding of what got lost.

`worker.work` goes on with one Comparison for a while; `watch.watch_all` begins them. What is fetched is learned by the mirror, as
what is posted is.
"""
