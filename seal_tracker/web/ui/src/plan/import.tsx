// A GeoJSON file in the place of all zones or routes: the next version of the plan, or every fault of it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import { useRoom } from "../app/context";
import type { Collection } from "./feature";

export function Import({ collection }: { collection: Collection }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const [said, setSaid] = useState("");
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setSaid(words.loading);
    try {
      const now = await fetch(apiUrl(collection), { cache: "no-store" });
      const headers = { "X-CSRF-Token": room.session.csrf ?? "", "Content-Type": "application/geo+json", "If-Match": now.headers.get("ETag") ?? "*" };
      const response = await fetch(apiUrl(collection), { method: "PUT", headers, body: await file.text() });
      const answer = (await response.json()) as { detail?: string; version?: number };
      setSaid(response.ok ? `${words.plan.version} ${answer.version ?? ""}` : (answer.detail ?? response.statusText));
      if (response.ok) await room.readPlan();
    } catch {
      setSaid(words.signIn.unreachable);
    }
  };
  return (
    <label class="import">
      {words.plan.import}
      <input type="file" accept=".geojson,.json,application/geo+json" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      <span role="status">{said}</span>
    </label>
  );
}
