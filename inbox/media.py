def fetch(attachment):
    raise NotImplementedError
