// One zone or route: its properties in a form, its shape on the map; tried, saved, removed.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, apiUrl } from "../api/client";
import { answered, type Schema } from "../api/service";
import { useLoaded, useRoom } from "../app/context";
import type { DrawnType } from "../map/drawing";
import type { MapHandle } from "../map/map_area";
import { FIELDS, featureOf, textOf, valueOf, type Collection, type Draft, type Feature } from "./feature";
import { Tried } from "./tried";

interface EditorProps {
  id: string;
  collection: Collection;
  map: MapHandle;
  close: () => void;
}

interface Shown {
  feature: Feature | null;
  etag: string | null;
}

async function shownOf(collection: Collection, id: string): Promise<Shown> {
  if (id.startsWith("+")) return { feature: null, etag: null };
  const response = await fetch(apiUrl(`${collection}/${encodeURIComponent(id)}`), { cache: "no-store" });
  if (!response.ok) throw new ApiError(response.status, response.statusText);
  return { feature: (await response.json()) as Feature, etag: response.headers.get("ETag") };
}

export function FeatureEditor({ id, collection, map, close }: EditorProps): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const read = useLoaded(() => shownOf(collection, id), [collection, id]);
  if (!read.value) return <p class="empty">{read.state === "failed" ? read.error.message : words.loading}</p>;
  return <Form key={read.value.etag ?? ""} shown={read.value} id={id} collection={collection} map={map} close={close} />;
}

function Form({ shown: { feature, etag }, id, collection, map, close }: EditorProps & { shown: Shown }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const may = room.may("edit_plans");
  const isNew = feature === null;
  const drawn = (isNew ? id.slice(1) : feature.geometry?.type) as DrawnType | "MultiPolygon" | undefined;
  const [draft, setDraft] = useState<Draft>({ id: isNew ? "" : id, geometry: feature?.geometry ?? null, properties: feature?.properties ?? (collection === "zones" ? { kind: "interest" } : { half_width_m: 200 }) });
  const [note, setNote] = useState("");
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  /** The map takes what is drawn. */
  const [ready, setReady] = useState(false);
  const [tried, setTried] = useState<Schema["PlanTrialAnswer"] | null>(null);

  useEffect(() => {
    if (!may || (drawn !== "Point" && drawn !== "LineString" && drawn !== "Polygon")) return undefined;
    let stop: (() => void) | null = null;
    let left = false;
    map.do((view) => {
      if (left) return;
      if (draft.geometry) view.showGeometry(draft.geometry);
      void view.draw(drawn, draft.geometry, (geometry) => setDraft((before) => ({ ...before, geometry }))).then((end) => {
        stop = end;
        if (left) end();
        else setReady(true);
      });
    });
    return () => {
      left = true;
      stop?.();
    };
  }, [id, may]);

  const attempt = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFailed("");
    try {
      await what();
    } catch (error) {
      setFailed(error instanceof ApiError && error.status ? (error.status === 412 ? words.changedMeanwhile : error.message) : words.signIn.unreachable);
    }
    setBusy(false);
  };
  const send = async (method: "PUT" | "DELETE"): Promise<void> => {
    const address = new URL(apiUrl(`${collection}/${encodeURIComponent(draft.id)}`));
    if (note) address.searchParams.set("note", note);
    const headers: Record<string, string> = { "X-CSRF-Token": room.session.csrf ?? "", ...(etag && { "If-Match": etag }) };
    if (method === "PUT") headers["Content-Type"] = "application/geo+json";
    const response = await fetch(address, { method, headers, ...(method === "PUT" && { body: JSON.stringify(featureOf(draft)) }) });
    if (!response.ok) throw new ApiError(response.status, ((await response.json()) as { detail?: string }).detail ?? response.statusText);
    await room.readPlan();
    close();
  };
  const tryIt = async (): Promise<void> => {
    const body: Record<string, unknown> = { [collection]: [featureOf(draft)] };
    setTried(await answered(room.service.POST("/api/v1/plan-trials", { body: { zones: [], routes: [], remove_zones: [], remove_routes: [], days: 7, ...body } as Schema["PlanTrial"] })));
  };

  return (
    <form
      class="scroll editor"
      onSubmit={(event) => {
        event.preventDefault();
        void attempt(() => send("PUT"));
      }}
    >
      <label>
        {words.plan.id}
        <input type="text" required readOnly={!isNew} pattern="[A-Za-z0-9_.:\-]{1,64}" value={draft.id} onInput={(event) => setDraft({ ...draft, id: event.currentTarget.value })} />
      </label>
      {FIELDS[collection]
        .filter(({ name }) => name !== "radius_m" || drawn === "Point")
        .map((field) => (
          <label key={field.name}>
            {words.planField[field.name as keyof typeof words.planField]}
            <input
              type="text"
              readOnly={!may}
              list={field.kind === "kinds" ? "kinds" : undefined}
              defaultValue={textOf(draft.properties[field.name])}
              onInput={(event) => {
                const value = valueOf(event.currentTarget.value, field);
                setDraft((before) => ({ ...before, properties: { ...before.properties, [field.name]: value } }));
              }}
            />
          </label>
        ))}
      <datalist id="kinds">
        {Object.entries(words.zoneKind).map(([kind, text]) => (
          <option key={kind} value={kind}>
            {text}
          </option>
        ))}
      </datalist>
      {may && (ready || drawn === "MultiPolygon") && <p class="hint">{drawn === "MultiPolygon" ? words.plan.manyParts : draft.geometry ? words.plan.howToEdit : words.plan.howToDraw}</p>}
      {may && (
        <label>
          {words.plan.why}
          <input type="text" maxLength={500} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
      )}
      {failed && <p role="alert">{failed}</p>}
      <div class="dialogue-ends">
        <button type="button" onClick={close}>
          {words.cancel}
        </button>
        {may && !isNew && (
          <button type="button" disabled={busy} onClick={() => window.confirm(words.plan.removeSure) && void attempt(() => send("DELETE"))}>
            {words.plan.remove}
          </button>
        )}
        {may && (
          <button type="button" disabled={busy || !draft.geometry || !draft.id} onClick={() => void attempt(tryIt)}>
            {words.plan.tryIt}
          </button>
        )}
        {may && (
          <button type="submit" class="primary" disabled={busy || !draft.geometry}>
            {words.plan.save}
          </button>
        )}
      </div>
      {tried && <Tried answer={tried} />}
    </form>
  );
}
