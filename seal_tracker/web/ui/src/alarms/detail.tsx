// One alarm in full: what it means, what to do, who did what, and the deeds.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import { hashOf } from "../app/address";
import { useChanges, useLoaded, useRoom } from "../app/context";
import { Icon, When } from "../app/icon";
import { word } from "../i18n";
import { evidenceLine } from "../i18n/evidence";
import { isUnacknowledged, type Alarm } from "../live/alarms";
import type { MapHandle } from "../map/map_area";
import { SEVERITY_SHAPE } from "../view/pictograms";
import type { Asking } from "./dialogue";
import { doneOf, evidenceOf, sureOf, titleOf, whereOf, whoseOf } from "./row";
import type { Work } from "./work";

type AlarmItem = Schema["AlarmItem"];

interface DetailProps {
  id: string;
  work: Work;
  ask: (kind: Asking["kind"], alarm: Alarm) => void;
  map: MapHandle;
}

export function Detail({ id, work, ask, map }: DetailProps): JSX.Element {
  const room = useRoom();
  useChanges(room.alarmBook.changes, room.journeys.changes, room.episodes.changes);
  const live = room.alarmBook.get(id);
  const read = useLoaded<AlarmItem>(() => answered(room.service.GET("/api/v1/alarms/{alarm}", { params: { path: { alarm: id } } })), [id, live?.version]);
  const { words, format, language } = room.reader;
  const alarm = live ?? read.value;
  const episode = alarm && room.episodes.of(alarm);
  useEffect(() => {
    if (alarm) void room.episodes.ask(alarm);
  }, [alarm?.episode]);
  useEffect(() => {
    if (alarm && episode) map.do((view) => view.showAlarm(alarm, episode.evidence));
  }, [episode?.episode]);
  const closeButton = (
    <button type="button" class="quiet" aria-label={words.close} title={`${words.close} (Esc)`} onClick={() => room.address.refine({ of: "" })}>
      ×
    </button>
  );
  if (!alarm) return <aside class="detail">{closeButton}<p class="empty">{read.state === "failed" ? read.error.message : words.loading}</p></aside>;
  const texts = read.value?.texts?.[language];
  const may = room.may("handle_alarms") && alarm.state !== "closed";
  return (
    <aside class={`detail severity-${alarm.severity}`} aria-label={titleOf(alarm, room)}>
      <header>
        <Icon path={SEVERITY_SHAPE[alarm.severity]} />
        <h2>
          {words.severity[alarm.severity]}: {titleOf(alarm, room)}
        </h2>
        {closeButton}
      </header>
      <dl>
        <Row name={words.alarms.where}>{whereOf(alarm, room)}</Row>
        <Row name={words.alarms.whose}>{whoseOf(alarm, room)}</Row>
        <Row name={words.seal.unit}>{room.unitName(alarm.responsible ?? alarm.unit)}</Row>
        <Row name={words.alarms.sinceLabel}>
          <When iso={alarm.raised_at} full />
        </Row>
        <Row name={words.alarms.measured}>{evidenceLine(evidenceOf(alarm, room), words, format, room.plan.names.zone)}</Row>
        <Row name={words.alarms.sure}>{sureOf(alarm, room)}</Row>
        <Row name={words.alarms.done}>{alarm.state === "closed" ? words.alarmState.closed : doneOf(alarm, room)}</Row>
      </dl>
      {may && (
        <div class="deeds">
          {isUnacknowledged(alarm) && (
            <button type="button" class="primary" onClick={() => void work.acknowledge([alarm])}>
              {words.alarms.acknowledge} <kbd>a</kbd>
            </button>
          )}
          <Deed text={words.alarms.note} letter="n" act={() => ask("note", alarm)} />
          <Deed text={words.alarms.takeIt} letter="m" act={() => void work.assign(alarm, room.session.username)} />
          <Deed text={words.alarms.assign} letter="g" act={() => ask("assign", alarm)} />
          <Deed text={words.alarms.dispatch} letter="d" act={() => ask("dispatch", alarm)} />
          <Deed text={words.alarms.shelve} letter="s" act={() => ask("shelve", alarm)} />
          <Deed text={words.alarms.closeIt} letter="c" act={() => ask("close", alarm)} />
        </div>
      )}
      <div class="deeds">
        <Deed text={words.alarms.showOnMap} letter="f" act={() => map.do((view) => view.showAlarm(alarm, evidenceOf(alarm, room)))} />
        {alarm.seal && (
          <button type="button" onClick={() => map.do((view) => view.follow(alarm.seal))}>
            {words.map.follow}
          </button>
        )}
        {alarm.journey && (
          <a class="link" href={hashOf({ view: "journeys", of: alarm.journey })}>
            {words.alarms.openJourney} <kbd>o</kbd>
          </a>
        )}
      </div>
      {texts && (
        <dl class="meaning">
          <Row name={words.alarms.cause}>{texts.cause}</Row>
          <Row name={words.alarms.consequence}>{texts.consequence}</Row>
          <Row name={words.alarms.response}>{texts.response}</Row>
        </dl>
      )}
      {read.value && <History alarm={read.value} />}
    </aside>
  );
}

function Row({ name, children }: { name: string; children: JSX.Element | string }): JSX.Element | null {
  if (!children) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Deed({ text, letter, act }: { text: string; letter: string; act: () => void }): JSX.Element {
  return (
    <button type="button" onClick={act}>
      {text} <kbd>{letter}</kbd>
    </button>
  );
}

/** What somebody wrote with a step. */
function saidIn(detail: Record<string, unknown>): JSX.Element | null {
  const said = [detail["note"], detail["reason"]].filter((text): text is string => typeof text === "string" && text !== "");
  return said.length ? <q>{said.join("; ")}</q> : null;
}

function History({ alarm }: { alarm: AlarmItem }): JSX.Element {
  const { words } = useRoom().reader;
  return (
    <section class="history">
      <h3>{words.alarms.history}</h3>
      <ol>
        {alarm.history.map((step, i) => (
          <li key={i}>
            <When iso={step.at} full /> <strong>{word(words.transition, step.step)}</strong> {step.by === "system" ? words.alarms.system : step.by}
            {saidIn(step.detail)}
          </li>
        ))}
      </ol>
    </section>
  );
}
