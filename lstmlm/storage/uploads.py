"""Parts of objects that a dead writer sent to S3 and never joined: they are not listed, and cost money."""

from __future__ import annotations

from lstmlm.storage.faults import reported
from lstmlm.storage.paths import StorePath


def abort_uploads(folder: StorePath, before: float) -> int:
    """Ends the multipart writes below a folder that began before a time, and returns how many.

    Other stores than S3 remove them by themselves.

    Args:
        folder: The folder.
        before: Seconds since 1970, by the clock of the store.
    """
    if folder.scheme != "s3":
        return 0
    client, prefix = folder.client(), f"{folder.key}/" if folder.key else ""
    ended = 0
    more: dict[str, str] = {}
    with reported(str(folder)):
        while True:
            answer = client.call_s3("list_multipart_uploads", Bucket=folder.bucket, Prefix=prefix, **more)
            for upload in answer.get("Uploads", ()):
                if upload["Initiated"].timestamp() < before:
                    names = {"Bucket": folder.bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                    client.call_s3("abort_multipart_upload", **names)
                    ended += 1
            if not answer.get("IsTruncated"):
                return ended
            more = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
