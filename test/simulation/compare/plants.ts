import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";
import type { DifferenceKind } from "./difference.ts";
import type { Rendered } from "./render.ts";
import type { Answer, RunningWatch, VirtualSubject } from "./subject.ts";

/** A defect of the simulated server that the comparison must find. */
export interface Plant {
  readonly kind: DifferenceKind;
  readonly what: string;
  answer?(answer: Answer, request: Rendered): Answer;
  lines?(lines: readonly string[]): readonly string[];
}

/** One defect for each kind of difference. */
export const PLANTS: readonly Plant[] = [
  {
    kind: "status",
    what: "a conflict of server-side apply is answered with 422",
    answer: (answer) => (answer.status === 409 && bodyText(answer).includes("FieldManagerConflict") ? { ...answer, status: 422 } : answer),
  },
  {
    kind: "content",
    what: "a label is lost",
    answer: (answer) =>
      ofObject(answer, (metadata) => ({ ...metadata, labels: withoutMember(objectAt(metadata, "labels"), "tier") }), hasLabel),
  },
  {
    kind: "managedFields",
    what: "an owner of fields is forgotten",
    answer: (answer) =>
      ofObject(
        answer,
        (metadata) => ({ ...metadata, managedFields: listAt(metadata, "managedFields").slice(1) }),
        (metadata) => listAt(metadata, "managedFields").length > 1,
      ),
  },
  {
    kind: "version",
    what: "versions of Leases fall",
    answer: (answer, { url }) =>
      url.includes("/leases")
        ? ofObject(answer, (metadata) => ({ ...metadata, resourceVersion: String(1_000_000 - Number(metadata["resourceVersion"])) }))
        : answer,
  },
  {
    kind: "watch",
    what: "a deletion is not told to watches",
    lines: (lines) => lines.filter((line) => !line.startsWith('{"type":"DELETED"')),
  },
];

function bodyText({ body }: Answer): string {
  return JSON.stringify(body);
}

function ofObject(
  answer: Answer,
  change: (metadata: JsonObject) => JsonObject,
  isMeant: (metadata: JsonObject) => boolean = () => true,
): Answer {
  const body = answer.body as Json; // Parsed JSON, or a text.
  if (!isObject(body) || stringAt(objectAt(body, "metadata"), "uid") === undefined || !isMeant(objectAt(body, "metadata"))) return answer;
  return { ...answer, body: { ...body, metadata: change(objectAt(body, "metadata")) } };
}

function hasLabel(metadata: JsonObject): boolean {
  return objectAt(metadata, "labels")["tier"] !== undefined;
}

function withoutMember(object: JsonObject, name: string): JsonObject {
  const { [name]: _lost, ...rest } = object;
  return rest;
}

/** The simulated server with a defect. */
export class PlantedServer implements VirtualSubject {
  readonly #server: VirtualSubject;
  readonly #plant: Plant;

  constructor(server: VirtualSubject, plant: Plant) {
    this.#server = server;
    this.#plant = plant;
  }

  get now(): number {
    return this.#server.now;
  }

  advanceTo(time: number): void {
    this.#server.advanceTo(time);
  }

  setClock(time: number): void {
    this.#server.setClock(time);
  }

  compact(): void {
    this.#server.compact();
  }

  async send(request: Rendered): Promise<Answer> {
    const answer = await this.#server.send(request);
    return this.#plant.answer?.(answer, request) ?? answer;
  }

  async watch(url: string): Promise<RunningWatch> {
    const watch = await this.#server.watch(url);
    const plant = this.#plant;
    return {
      get lines() {
        return plant.lines?.(watch.lines) ?? watch.lines;
      },
      get hasEnded() {
        return watch.hasEnded;
      },
      refusal: watch.refusal,
      stop: () => watch.stop(),
    };
  }
}
