from inbox.models import Attachment


def learn_files(environment, told, learned):
    """Attachments by external_id for what the carrier tells of files: `told` holds url, filename, mime_type and
    size_bytes by external_id. New ones are among `learned.media`, to be fetched."""
    if not told:
        return {}
    known = {a.external_id: a for a in environment.attachments.filter(external_id__in=told)}
    new = [
        Attachment(
            environment=environment,
            external_id=external_id,
            filename=(file.get("filename") or "file")[:255],
            mime_type=(file.get("mime_type") or "application/octet-stream")[:120],
            size=file.get("size_bytes") or 0,
            source_url=file.get("url") or "",
        )
        for external_id, file in sorted(told.items())
        if external_id not in known
    ]
    if new:
        Attachment.objects.bulk_create(new, ignore_conflicts=True)
        ids = [attachment.external_id for attachment in new]
        fresh = list(environment.attachments.filter(external_id__in=ids))
        known |= {attachment.external_id: attachment for attachment in fresh}
        learned.media += fresh
    return known
