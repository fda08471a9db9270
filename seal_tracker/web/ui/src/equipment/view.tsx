// The equipment wall: cameras, scanners, weighbridges and readers by unit, with state, last heartbeat, uptime of a week, open faults and time to repair.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import { useRoom } from "../app/context";
import { When } from "../app/icon";
import { everyPage } from "../app/pages";
import { fill } from "../i18n";

type Piece = Schema["EquipmentItem"];
type Ticket = Schema["Page_Ticket_"]["items"][number];

interface Wall {
  pieces: Piece[];
  uptime: Map<string, number | null>;
  tickets: Map<string, Ticket[]>;
  repairs: Schema["RepairsAnswer"];
}

const AGAIN_MS = 15_000;
const PAGE = 1000;
/** Worst first. */
const STATES = ["down", "flapping", "never_heard", "heard"] as const;

export default function EquipmentView(): JSX.Element {
  const room = useRoom();
  const { words, format } = room.reader;
  const [wall, setWall] = useState<Wall | null>(null);
  const [failed, setFailed] = useState("");

  useEffect(() => {
    let wanted = true;
    const read = async (): Promise<void> => {
      try {
        const found = await wallOf(room.service);
        if (wanted) setWall(found);
        setFailed("");
      } catch (error) {
        setFailed(error instanceof Error ? error.message : String(error));
      }
    };
    void read();
    const timer = window.setInterval(() => void read(), AGAIN_MS);
    return () => {
      wanted = false;
      window.clearInterval(timer);
    };
  }, [room]);

  if (!wall) return <p class="empty">{failed || words.loading}</p>;
  const units = [...new Set(wall.pieces.map(({ unit }) => unit))].sort((a, b) => room.unitName(a).localeCompare(room.unitName(b)));
  const { total } = wall.repairs;
  return (
    <section class="scroll wall" aria-label={words.views.equipment} tabIndex={0}>
      <header class="wall-sum">
        {STATES.map((state) => (
          <span key={state} class="wall-count" data-state={state}>
            {words.equipmentState[state]}: <strong>{format.number(wall.pieces.filter((piece) => piece.state === state).length)}</strong>
          </span>
        ))}
        <span class="wall-count">
          {words.equipment.repaired}: <strong>{format.number(total.repaired)}</strong>
          {total.mean_to_repair_s !== null && `, ${fill(words.equipment.onAverage, { age: format.duration(total.mean_to_repair_s) })}`}
        </span>
        {failed && <span role="alert">{failed}</span>}
      </header>
      {wall.pieces.length === 0 && <p class="empty">{words.equipment.none}</p>}
      {units.map((unit) => (
        <section key={unit ?? ""} aria-label={room.unitName(unit)}>
          <h2>{room.unitName(unit) || words.noUnit}</h2>
          <ul class="tiles">
            {wall.pieces
              .filter((piece) => piece.unit === unit)
              .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.id.localeCompare(b.id))
              .map((piece) => (
                <Tile key={piece.id} piece={piece} uptime={wall.uptime.get(piece.id) ?? null} tickets={wall.tickets.get(piece.id) ?? []} />
              ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Tile({ piece, uptime, tickets }: { piece: Piece; uptime: number | null; tickets: readonly Ticket[] }): JSX.Element {
  const room = useRoom();
  const { words, format } = room.reader;
  const since = piece.flapping_since ?? piece.offline_since;
  return (
    <li class="tile" data-state={piece.state}>
      <strong>{piece.id}</strong>
      <span>
        {words.equipmentKind[piece.kind as keyof typeof words.equipmentKind] ?? piece.kind} · {words.equipmentState[piece.state]}
        {since && (
          <>
            {" "}
            {words.alarms.since} <When iso={since} />
          </>
        )}
      </span>
      <small>
        {words.equipment.heard}: {piece.last_heard_at ? <When iso={piece.last_heard_at} /> : "–"}
        {uptime !== null && ` · ${words.equipment.uptime} ${format.number(uptime * 100, 1)} %`}
      </small>
      {piece.probe?.why && <small class="why">{piece.probe.why}</small>}
      {tickets.map((ticket) => (
        <small key={ticket.id} class="ticket">
          {words.ticketState[ticket.state]}: {ticket.fault} ({fill(words.forDuration, { age: format.duration((room.now_ms - Date.parse(ticket.failed_at)) / 1000) })}
          {ticket.assigned_to && `, ${ticket.assigned_to}`})
        </small>
      ))}
    </li>
  );
}

async function wallOf(service: ReturnType<typeof useRoom>["service"]): Promise<Wall> {
  const [pieces, availability, tickets, repairs] = await Promise.all([
    everyPage<Piece>((after) => answered(service.GET("/api/v1/equipment", { params: { query: { limit: PAGE, ...(after && { after }) } } }))),
    everyPage((after) => answered(service.GET("/api/v1/equipment/availability", { params: { query: { limit: PAGE, ...(after && { after }) } } }))),
    everyPage<Ticket>((after) => answered(service.GET("/api/v1/tickets", { params: { query: { limit: PAGE, under_way: true, ...(after && { after }) } } })) as Promise<Schema["Page_Ticket_"]>),
    answered(service.GET("/api/v1/equipment/repairs")) as Promise<Schema["RepairsAnswer"]>,
  ]);
  const byPiece = new Map<string, Ticket[]>();
  for (const ticket of tickets) byPiece.set(ticket.equipment, [...(byPiece.get(ticket.equipment) ?? []), ticket]);
  return { pieces, uptime: new Map(availability.map(({ id, availability: share }) => [id, share])), tickets: byPiece, repairs };
}
