"""The kinds of files that programs may announce (contract §6.4): today's, and older names of the same."""

CONTENT_TYPES = frozenset(
    """
    image/jpeg image/png image/gif image/heic image/heif image/tiff image/bmp image/svg+xml image/webp image/x-icon
    image/jpg image/x-ms-bmp
    video/mp4 video/quicktime video/mpeg video/mpeg2 video/x-m4v video/x-msvideo video/3gpp
    audio/mpeg audio/mp3 audio/x-m4a audio/mp4 audio/x-caf audio/x-wav audio/x-aiff audio/aiff audio/aac audio/midi
    audio/amr audio/m4a audio/wav audio/x-aac
    text/plain text/markdown text/vcard text/rtf text/csv text/html text/calendar text/xml text/x-vcard
    application/pdf application/vnd.apple.pkpass application/msword application/vnd.ms-excel
    application/vnd.ms-powerpoint application/epub+zip application/json application/zip application/x-gzip
    application/rtf application/x-zip-compressed application/vnd.apple.pages application/vnd.apple.numbers
    application/vnd.apple.keynote application/x-iwork-pages-sffpages application/x-iwork-numbers-sffnumbers
    application/x-iwork-keynote-sffkey
    application/vnd.openxmlformats-officedocument.wordprocessingml.document
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
    application/vnd.openxmlformats-officedocument.presentationml.presentation
    """.split()  # noqa: SIM905 one word each is easier to read
)
