"""Files: the v2 read side and deletion, the v1 uploads and downloads, and the media address that downloads lead to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox.confluence_access import can_attach, can_edit, can_view, may
from bridge.sandbox.confluence_multipart import Upload, read_upload
from bridge.sandbox.confluence_pages import both_ways, find
from bridge.sandbox.confluence_state import Attachment, FileVersion, Page, Wiki
from bridge.sandbox.confluence_wire import (
    Call,
    Refused,
    collection,
    html_error,
    json_response,
    ordered,
    stamp,
    v1_error,
)

SORTS = ("created-date", "modified-date")
STATUSES = ("current", "archived", "trashed")


def find_attachment(call: Call, attachment_id: str) -> Attachment:
    """Return a file on a page that the person may see; 404 else, 400 for an id that is none."""
    if not attachment_id.startswith("att") or not attachment_id[3:].isdecimal():
        raise call.bad("Expected type is ContentId")
    file = call.wiki.attachments.get(attachment_id)
    page = call.wiki.content.get(file.page) if file is not None else None
    here = page is not None and call.wiki.site_of(page).cloud_id == call.site.cloud_id
    if file is None or page is None or not here or not can_view(call.wiki, call.person, page):
        raise call.missing(f"Content with id: [{attachment_id}] not found")
    return file


def list_on_content(call: Call) -> Response:
    """Answer getPageAttachments and getBlogpostAttachments."""
    page = find(call, call.args["id"], call.kind)
    if page.status == "draft" and not call.wiki.switches.draft_files_listed:
        raise call.missing(f"Cannot find a page with id [{page.id}]")
    statuses = call.values("status") or ["current", "archived"]
    if not set(statuses) <= set(STATUSES):
        raise call.bad(f"Invalid status. Allowed: {', '.join(STATUSES)}")
    name, media_type = call.request.args.get("filename"), call.request.args.get("mediaType")
    rows = [
        file
        for file in call.wiki.attachments_of(page.id)
        if file.status in statuses and name in (None, file.name) and media_type in (None, file.media_type)
    ]
    sort = call.one_of("sort", both_ways(SORTS))
    keys = {
        "created-date": lambda file: (file.created_at, file.id),
        "modified-date": lambda file: (file.version.at, file.id),
    }
    return collection(
        call,
        ordered(rows, sort, keys),
        lambda file: file.id,
        lambda file: shapes.attachment(call.wiki, file, single=False),
        default_limit=50,
    )


def get(call: Call) -> Response:
    """Answer getAttachmentById."""
    file = find_attachment(call, call.args["id"])
    call.objects = 1
    return json_response(shapes.attachment(call.wiki, file, single=True))


def delete(call: Call) -> Response:
    """Answer deleteAttachment: to the trash, or out of it for good with ``purge``."""
    file = find_attachment(call, call.args["id"])
    page = call.wiki.content[file.page]
    allowed = can_edit(call.wiki, call.person, page) and may(call.wiki.spaces[page.space], call.person, "delete")
    if not allowed or (file.status == "trashed") != call.flag("purge"):
        raise call.missing(f"Content with id: [{file.id}] not found")
    if call.flag("purge"):
        del call.wiki.attachments[file.id]
    else:
        file.status = "trashed"
    return Response(status=204)


def _container(call: Call, *, update: bool) -> Page:
    page_id, status = call.args["id"], call.request.args.get("status", "current")
    if call.request.headers.get("X-Atlassian-Token", "").lower() not in ("no-check", "nocheck"):
        raise Refused(Response("XSRF check failed", status=403, mimetype="text/plain"))
    if status not in ("current", "draft"):
        raise v1_error(400, f"Invalid status {status}")
    page = call.wiki.content.get(page_id)
    gone = v1_error(404, f"No content found with id: ContentId{{id={page_id}}}")
    if page is None or call.wiki.site_of(page).cloud_id != call.site.cloud_id:
        raise gone
    if not can_view(call.wiki, call.person, page) or page.status not in ("current", "draft"):
        raise gone
    if (page.status == "draft") != (status == "draft") and not (status == "draft" and page.draft is not None):
        raise gone
    if update and page.status == "draft" and not call.wiki.switches.put_uploads_to_drafts:
        raise gone
    if not can_attach(call.wiki, call.person, page):
        raise v1_error(403, "User not permitted to add attachments to the content")
    return page


def _uploads(call: Call) -> list[Upload]:
    uploads = read_upload(call.request)
    if not uploads:
        raise v1_error(400, "At least one file is required")
    for upload in uploads:
        if len(upload.data) > call.wiki.switches.max_file_bytes:
            raise v1_error(404, f"The attachment {upload.name} exceeds the maximum size")
        if not upload.name or "/" in upload.name or len(upload.name.encode()) > 255:
            raise v1_error(400, f"Illegal file name: {upload.name}")
    return uploads


def create(call: Call) -> Response:
    """Answer createAttachment (POST): refuses a name that the page already has."""
    page = _container(call, update=False)
    uploads = _uploads(call)
    names = {file.name for file in call.wiki.files_on(page.id)}
    for upload in uploads:
        if upload.name in names:
            raise v1_error(
                400, f"Cannot add a new attachment with same file name as an existing attachment: {upload.name}"
            )
    return _stored(call, page, uploads)


def create_or_update(call: Call) -> Response:
    """Answer createOrUpdateAttachments (PUT): an existing name gets a new version."""
    page = _container(call, update=True)
    return _stored(call, page, _uploads(call))


def _stored(call: Call, page: Page, uploads: list[Upload]) -> Response:
    if call.wiki.switches.half_uploads > 0:
        call.wiki.switches.half_uploads -= 1
        for upload in uploads:
            _keep(call, page, Upload(upload.name, upload.media_type, b"", upload.comment, upload.minor)).half = True
        call.changed = True
        raise Refused(html_error(503))
    rows = [v1_attachment(call.wiki, _keep(call, page, upload)) for upload in uploads]
    links = {"base": f"{call.site.url}/wiki", "context": "/wiki"}
    return json_response({"results": rows, "start": 0, "limit": 200, "size": len(rows), "_links": links})


def _keep(call: Call, page: Page, upload: Upload) -> Attachment:
    account, now = call.person.account_id, call.wiki.now()
    held = next((file for file in call.wiki.files_on(page.id) if file.name == upload.name), None)
    if held is not None:
        return _new_version(held, upload, account, call)
    file = Attachment(
        id=f"att{call.wiki.content_id()}",
        page=page.id,
        name=upload.name,
        media_type=upload.media_type,
        file_id=call.wiki.uuid(),
        created_at=now,
        versions=[FileVersion(1, account, now, upload.data, upload.comment, upload.minor)],
    )
    call.wiki.put_file(file)
    return file


def _new_version(held: Attachment, upload: Upload, account: str, call: Call) -> Attachment:
    number = held.version.number + 1
    held.versions.append(FileVersion(number, account, call.wiki.now(), upload.data, upload.comment, upload.minor))
    held.half = False
    held.media_type = upload.media_type
    return held


def update_data(call: Call) -> Response:
    """Answer updateAttachmentData: new bytes for a file, whose name stays."""
    if call.request.headers.get("X-Atlassian-Token", "").lower() not in ("no-check", "nocheck"):
        raise Refused(Response("XSRF check failed", status=403, mimetype="text/plain"))
    held, page = _of_page(call)
    if not can_attach(call.wiki, call.person, page):
        raise v1_error(403, "User not permitted to update the attachment")
    uploads = _uploads(call)
    return json_response(v1_attachment(call.wiki, _new_version(held, uploads[0], call.person.account_id, call)))


def _of_page(call: Call) -> tuple[Attachment, Page]:
    file_id = call.args["attachment"]
    if not file_id.removeprefix("att").isdecimal():
        raise v1_error(400, f"Invalid attachment id: {file_id}")
    held = call.wiki.attachments.get("att" + file_id.removeprefix("att"))
    page = call.wiki.content.get(call.args["id"])
    if held is None or page is None or held.page != page.id or held.status == "trashed":
        raise v1_error(404, f"No attachment found with id {file_id}")
    here = call.wiki.site_of(page).cloud_id == call.site.cloud_id
    if not here or not can_view(call.wiki, call.person, page):
        raise v1_error(404, f"No attachment found with id {file_id}")
    return held, page


def download(call: Call) -> Response:
    """Answer downloadAttatchment: a redirect to the media address, which takes a token in its query and no other."""
    held, _ = _of_page(call)
    number = call.request.args.get("version", str(held.version.number))
    if number not in {str(version.number) for version in held.versions}:
        raise v1_error(400, f"Version {number} does not exist")
    token = call.wiki.media_token(held.file_id, int(number))
    prefix = call.request.path.split("/ex/confluence/", 1)[0]
    location = f"{call.wiki.core.base_url}{prefix}/media/file/{held.file_id}/{number}/{quote(held.name)}?token={token}"
    return Response(status=302, headers={"Location": location})


def media(wiki: Wiki, file_id: str, number: str, token: str) -> Response:
    """Answer the media address: the bytes of one version, or 403 for a wrong token."""
    held = next((file for file in wiki.attachments.values() if file.file_id == file_id), None)
    version = next((at for at in held.versions if str(at.number) == number), None) if held is not None else None
    if held is None or version is None or token != wiki.media_token(file_id, version.number):
        return Response("Forbidden", status=403, mimetype="text/plain")
    name = quote(held.name)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(version.data, mimetype=held.media_type, headers=headers)


def v1_attachment(wiki: Wiki, held: Attachment) -> dict[str, Any]:
    """Return a file as v1 content."""
    page, at = wiki.content[held.page], held.version
    extensions = {
        "mediaType": held.media_type,
        "fileSize": len(at.data),
        "comment": at.comment,
        "mediaTypeDescription": held.media_type.partition("/")[2].upper() + " File",
        "fileId": held.file_id,
        "collectionName": f"contentId-{page.id}",
    }
    return {
        "id": held.id,
        "type": "attachment",
        "status": held.status,
        "title": held.name,
        "version": {"number": at.number, "minorEdit": at.minor, "when": stamp(at.at), "message": at.comment},
        "metadata": {"mediaType": held.media_type, "comment": at.comment},
        "extensions": extensions,
        "_links": {"webui": shapes.webui(wiki, page), "download": shapes.download_link(held)},
    }
