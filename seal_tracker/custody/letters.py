"""What mail about a seal that should be back says, in Vietnamese and English. Pure."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from seal_tracker.alarms.responsibility import Answering
from seal_tracker.custody.asset import Asset
from seal_tracker.hooks.letters import ADDRESS
from seal_tracker.hooks.rows import Mail

__all__ = ["not_back_mail"]


def not_back_mail(asset: Asset, to: Answering, contact: str | None, at_ms: int) -> Mail | None:
    """The mail to a unit's contact, one for each due date of a movement; None where the contact is no address."""
    found = ADDRESS.search(contact or "")
    if found is None:
        return None
    deputy = f" (thay / for {to.head})" if to.deputy is not None else ""
    lines = [
        f"Niêm phong / seal: {asset.seal}    {asset.model or ''}".rstrip(),
        f"Đơn vị / unit: {asset.unit}    Người giữ / with: {asset.officer or asset.place or '-'}    {asset.state}",
        f"Từ / since: {asset.since}    Hạn trả / was due: {asset.due}",
        f"Gửi / to: {to.acting or '-'}{deputy}",
        "",
        "Niêm phong đã quá hạn trả về kho. Đề nghị thu hồi, hoặc ghi nhận mất.",
        "The seal should be back in its store. See that it is brought, or record that it is lost.",
    ]
    event = uuid5(NAMESPACE_URL, f"seal_asset/{asset.seal}/{asset.number}/overdue/{asset.due}")
    subject = f"Niêm phong quá hạn trả / seal not back: {asset.seal}"
    return Mail(event, found[0], subject, "\n".join(lines) + "\n", at_ms)
