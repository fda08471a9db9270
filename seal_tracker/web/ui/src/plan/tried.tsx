// What an edit would have made of the last week: whom it touches, what it would gain and lose.
import type { JSX } from "preact";
import type { Schema } from "../api/service";
import { hashOf } from "../app/address";
import { useRoom } from "../app/context";
import { When } from "../app/icon";
import { fill, word } from "../i18n";

export function Tried({ answer }: { answer: Schema["PlanTrialAnswer"] }): JSX.Element {
  const { words, format } = useRoom().reader;
  const counts = answer.counts as Record<string, number>;
  return (
    <section class="tried" role="status">
      <h3>{words.plan.triedTitle}</h3>
      <p>{fill(words.plan.touches, { live: format.number(answer.under_way.length), all: format.number(answer.touched), tried: format.number(answer.tried) })}</p>
      <p>{fill(words.plan.counts, { gained: counts["gained"] ?? 0, lost: counts["lost"] ?? 0, changed: counts["changed"] ?? 0, kept: counts["kept"] ?? 0 })}</p>
      {(["gained", "lost"] as const).map(
        (name) =>
          answer[name].length > 0 && (
            <ul key={name}>
              {answer[name].map((episode, i) => (
                <li key={i} class={`severity-${episode.severity}`}>
                  {name === "gained" ? "+" : "−"} {word(words.event, episode.type)} <When iso={episode.started_at} /> {episode.journey && <a href={hashOf({ view: "journeys", of: episode.journey })}>{episode.journey}</a>}
                </li>
              ))}
            </ul>
          ),
      )}
    </section>
  );
}
