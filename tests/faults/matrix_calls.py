"""Every distinct HTTP request that the product makes, and the scene in which it makes it in earnest.

``test_matrix_calls`` proves that the list is whole: whatever operation any scene's journal shows, and whatever
operation any method of the clients asks for, is here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        name: for the table.
        operation: the official name.
        scene: where it is made.
        nth: which of the scene's requests of that operation it is, from 1.
        kind: what it is, for the declared outcomes: "gmail", "refresh", "consent", "read" (of Confluence), "look"
            (after a lost answer), "adopt" (after a lost database), "probe", "draft", "body", "comment", "file", "mark"
            (label, property) or "restriction".
    """

    name: str
    operation: str
    scene: str
    kind: str
    nth: int = 1


CALLS: tuple[Call, ...] = (
    Call("history.list", "gmail.users.history.list", "page", "gmail"),
    Call("labels.list", "gmail.users.labels.list", "page", "gmail"),
    Call("threads.get", "gmail.users.threads.get", "page", "gmail"),
    Call("threads.get minimal", "gmail.users.threads.get", "no labels said", "gmail"),
    Call("attachments.get", "gmail.users.messages.attachments.get", "page", "gmail"),
    Call("messages.get", "gmail.users.messages.get", "file ids end", "gmail"),
    Call("getProfile", "gmail.users.getProfile", "cursor gone", "gmail"),
    Call("threads.list", "gmail.users.threads.list", "cursor gone", "gmail"),
    Call("Google refresh", "google.oauth.token", "days later", "refresh"),
    Call("Atlassian refresh", "atlassian.oauth.token", "days later", "refresh"),
    Call("Google code", "google.oauth.token", "connect", "consent"),
    Call("userinfo", "google.oauth.userinfo", "connect", "consent"),
    Call("getProfile, connect", "gmail.users.getProfile", "connect", "consent"),
    Call("Atlassian code", "atlassian.oauth.token", "connect", "consent"),
    Call("accessible-resources", "atlassian.oauth.resources", "connect", "consent"),
    Call("user/current, connect", "getCurrentUser", "connect", "consent"),
    Call("user/current, probe", "getCurrentUser", "page, refused", "probe"),
    Call("getSpaces", "getSpaces", "page", "read"),
    Call("getPages, parent", "getPages", "parent", "read"),
    Call("createPage, draft", "createPage", "page", "draft"),
    Call("createPage, private", "createPage", "private", "draft"),
    Call("createBlogPost, draft", "createBlogPost", "post", "draft"),
    Call("createAttachment, draft", "createAttachment", "page", "file"),
    Call("createAttachment, page", "createAttachment", "reply", "file"),
    Call("createAttachment, given", "createAttachment", "comment", "file"),
    Call("updateAttachmentData", "updateAttachmentData", "reply, answers lost", "file"),
    Call("updatePage, publish", "updatePage", "page", "body"),
    Call("updateBlogPost, publish", "updateBlogPost", "post", "body"),
    Call("getRestrictions", "getRestrictions", "private", "restriction"),
    Call("updateRestrictions", "updateRestrictions", "private", "restriction"),
    Call("addLabels", "addLabelsToContent", "page", "mark"),
    Call("addLabels, post", "addLabelsToContent", "post", "mark"),
    Call("createPageProperty", "createPageProperty", "page", "mark"),
    Call("createBlogpostProperty", "createBlogpostProperty", "post", "mark"),
    Call("getPageById, read back", "getPageById", "page", "read"),
    Call("getBlogPostById, read back", "getBlogPostById", "post", "read"),
    Call("getPageAttachments", "getPageAttachments", "page", "read"),
    Call("getBlogpostAttachments", "getBlogpostAttachments", "post", "read"),
    Call("comment on a page", "createFooterComment", "page", "comment"),
    Call("comment on a post", "createFooterComment", "post", "comment"),
    Call("comment that is all", "createFooterComment", "comment", "comment"),
    Call("reply to a comment", "createFooterComment", "comment", "comment", 2),
    Call("getPageById, look", "getPageById", "page, answers lost", "look"),
    Call("getPageVersions", "getPageVersions", "page, edited", "look"),
    Call("getPageAttachments, look", "getPageAttachments", "page, answers lost", "look"),
    Call("getPageLabels", "getPageLabels", "page, answers lost", "look"),
    Call("getPageContentProperties", "getPageContentProperties", "page, answers lost", "look"),
    Call("getPageFooterComments", "getPageFooterComments", "page, answers lost", "look"),
    Call("getBlogPostById, look", "getBlogPostById", "post, answers lost", "look"),
    Call("getBlogPostVersions", "getBlogPostVersions", "post, answers lost", "look"),
    Call("getBlogpostAttachments, look", "getBlogpostAttachments", "post, answers lost", "look"),
    Call("getBlogPostLabels", "getBlogPostLabels", "post, answers lost", "look"),
    Call("getBlogpostContentProperties", "getBlogpostContentProperties", "post, answers lost", "look"),
    Call("getBlogPostFooterComments", "getBlogPostFooterComments", "post, answers lost", "look"),
    Call("getFooterCommentChildren", "getFooterCommentChildren", "comment, answers lost", "look"),
    Call("getPageById, restored", "getPageById", "page, restored", "look"),
    Call("getFooterCommentById", "getFooterCommentById", "comment, restored", "look"),
    Call("getPages, adopt", "getPages", "database lost", "adopt"),
    Call("getBlogPosts, adopt", "getBlogPosts", "database lost, post", "adopt"),
)
"""In the order in which a thread needs them."""
