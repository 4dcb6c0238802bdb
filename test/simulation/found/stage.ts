/**
 * A world for scenarios. Only the events of the scenario happen, to one team or to two teams that share a vault, so that a change of the
 * simulation's draws does not change a scenario. The seed decides the order of simultaneous events, and the duration of each message.
 */

import { CLASS_CRD, deleteDefinition } from "../faults/cluster.ts";
import { MINUTE } from "../faults/fault.ts";
import { leaderOf } from "../faults/machines.ts";
import { breakWatch } from "../faults/unseen-pods.ts";
import type { Violation } from "../invariants/invariant.ts";
import { Watching } from "../invariants/watching.ts";
import type { SimulatedProcess } from "../machines/process.ts";
import type { Message, Weather } from "../network/fabric.ts";
import { INVARIANTS, QUIET_MS } from "../simulation.ts";
import type { Machine } from "../time/machine.ts";
import { applyLostClasses } from "../users/lost-classes.ts";
import { endPod, startPod } from "../users/pods.ts";
import { writeClass } from "../world/authors.ts";
import type { WantedClass, WantedEntry, WantedSecret } from "../world/classes.ts";
import { API_HOST } from "../world/cluster.ts";
import type { Team } from "../world/team.ts";
import { startWorld, type World } from "../world/world.ts";

/** A class as a scenario writes it. */
export interface Reported {
  readonly name: string;
  readonly entries: readonly (string | Partial<WantedEntry>)[];
  readonly secrets: readonly { readonly name: string; readonly keys: readonly number[]; readonly label?: string }[];
  readonly sync?: WantedClass["sync"];
  readonly intervalMinutes?: number;
}

const SIZE = {
  teams: 1,
  classes: 0,
  solitary: 0,
  mounted: 0,
  objects: 4,
  replicas: 2,
  listers: 1,
  oddities: 0,
  eventQueues: 0,
  shards: 0,
  hasOwnPace: true,
};

/** A request of the worker. */
interface Asked {
  readonly minute: number;
  readonly machine: Machine;
}

/** Teams of a scenario. `alone`: one team with a single class, so that no poll of another class serves it. */
const CASTS = { team: {}, alone: { teams: 0, solitary: 1 }, neighbours: { teams: 2 } } as const;

export type Cast = keyof typeof CASTS;

export class Stage {
  readonly world: World;
  readonly #team: Team;

  constructor(world: World) {
    const [team] = world.teams;
    if (team === undefined) throw new Error("the world has no team");
    this.world = world;
    this.#team = team;
  }

  /** The second team, whose classes read the first team's vault with another identity. */
  get neighbour(): Pick<Stage, "write"> {
    const team = this.world.teams[1];
    if (team === undefined) throw new Error("the world has no second team");
    return { write: (reported) => this.#write(team, reported) };
  }

  /** Runs the action so many minutes after the start. */
  at(minutes: number, action: () => void): void {
    this.world.scheduler.schedule(minutes * MINUTE - this.world.scheduler.now, action);
  }

  write(reported: Reported): void {
    this.#write(this.#team, reported);
  }

  #write(team: Team, { name, entries, secrets, sync, intervalMinutes }: Reported): void {
    const { namespace, vault } = team;
    const wanted: WantedClass = {
      namespace,
      name,
      vault: vault.name,
      entries: entries.map((entry) => ({ ...PLAIN, ...(typeof entry === "string" ? { object: entry } : entry) })),
      secrets: secrets.map((secret): WantedSecret => ({ label: undefined, ...secret })),
      sync,
      intervalMinutes,
    };
    if (!writeClass(this.world.cluster, team, wanted)) throw new Error(`the API server refuses the class ${name}`);
  }

  /** Returns the id of the latest version. */
  versionOf(object: string): string {
    const version = this.#team.vault.objects.get(object)?.versions.at(-1)?.version;
    if (version === undefined) throw new Error(`the vault has no ${object}`);
    return version;
  }

  /** Creates objects that no class names. */
  fillVault(objects: number): void {
    for (let index = 0; index < objects; index += 1) this.rotate(`filling-${index}`);
  }

  rotate(object: string): void {
    inVault(this.world.vaults.rotate(this.#team.vault, object));
  }

  disable(object: string): void {
    inVault(this.world.vaults.disable(this.#team.vault, object));
  }

  startPod(className: string): void {
    startPod(this.world, { team: this.#team, className }, this.world.random.fork(className));
  }

  endPods(): void {
    for (const pod of this.#team.pods.keys()) endPod(this.world, this.#team, pod);
  }

  /** Breaks the watch of pods for so long. The worker sees no pod that comes or goes, and cannot resume the watch afterwards. */
  breakWatchOfPods(minutes: number): void {
    this.world.scheduler.schedule(minutes * MINUTE, breakWatch(this.world));
  }

  /**
   * Deletes the class CRD, and with it all classes. The first PATCH of a restored class loses its connection, so that the worker cannot
   * hand over the fields of the class.
   */
  loseClasses(): void {
    const { cluster, weathers } = this.world;
    const cut: Weather = ({ machine, method, path }) => {
      if (machine === undefined || method !== "PATCH" || !/\/secretproviderclasses\/[^/]+\?/.test(path)) return undefined;
      weathers.delete(cut);
      return { kind: "resetBefore", there: 3 };
    };
    weathers.add(cut);
    deleteDefinition(cluster, CLASS_CRD);
  }

  /** Resets the connections to the vault for so long, before a request arrives. */
  vaultAway(minutes: number): void {
    this.#away((host) => host.startsWith(`${this.#team.vault.name}.`), minutes);
  }

  /** Leaves each request to the vault without an answer for so long. */
  vaultHangs(minutes: number): void {
    this.#while(({ host }) => (host.startsWith(`${this.#team.vault.name}.`) ? { kind: "lost" } : undefined), minutes);
  }

  /** Runs the action whenever the worker requests the object from the vault, until the action returns true. */
  whenAsked(object: string, action: (asked: Asked) => boolean): void {
    this.#whenSent((path) => path.includes(`/${object}`), action);
  }

  /**
   * Runs the action whenever the worker requests a list of secrets from the vault, until the action returns true. The action runs before
   * the request arrives, so its effect on the vault also affects this request.
   */
  whenListed(action: (asked: Asked) => boolean): void {
    this.#whenSent((path) => path === "/secrets", action);
  }

  #whenSent(isMeant: (path: string) => boolean, action: (asked: Asked) => boolean): void {
    let isOver = false;
    this.world.onSend(({ host, path, machine }) => {
      if (isOver || machine === undefined || !host.startsWith(`${this.#team.vault.name}.`) || !isMeant(path.split("?")[0] ?? "")) return;
      isOver = action({ minute: this.world.scheduler.now / MINUTE, machine });
    });
  }

  /** Leaves each request for a token of the team's application without an answer for so long. */
  signInHangs(whose: "first team" | "second team", minutes: number): void {
    const appId = this.world.teams[whose === "first team" ? 0 : 1]?.application.appId ?? "";
    const hanging: Weather = ({ path, body }) => (path.includes("/oauth2/") && body.includes(appId) ? { kind: "lost" } : undefined);
    this.#while(hanging, minutes);
  }

  /** Stops the replicas at any point of their work, as the drain of their node does. */
  stopReplicas(): void {
    for (const replica of this.world.replicas) replica.terminate();
  }

  killReplicas(): void {
    for (const replica of this.world.replicas) replica.kill();
  }

  killLeader(): void {
    this.#leader.kill();
  }

  stepLeadersClock(minutes: number): void {
    this.#leader.machine?.stepClock(minutes * MINUTE);
  }

  get #leader(): SimulatedProcess {
    const leader = leaderOf(this.world);
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }

  apiServerAway(minutes: number): void {
    this.#away((host) => host === API_HOST, minutes);
  }

  /** Resets the connections of lists of pods for so long. */
  podsUnlisted(minutes: number): void {
    const isList = ({ host, path }: Message): boolean => host === API_HOST && path.startsWith("/api/v1/pods?") && !path.includes("watch=");
    this.#while((message) => (isList(message) ? { kind: "resetBefore", there: 3 } : undefined), minutes);
  }

  #away(isMeant: (host: string) => boolean, minutes: number): void {
    this.#while(({ host }) => (isMeant(host) ? { kind: "resetBefore", there: 3 } : undefined), minutes);
  }

  #while(weather: Weather, minutes: number): void {
    this.world.weathers.add(weather);
    this.world.scheduler.schedule(minutes * MINUTE, () => void this.world.weathers.delete(weather));
  }
}

const PLAIN: WantedEntry = { object: "", type: "secret", pinned: undefined, alias: undefined, isDecoded: false };

/** The emulator refuses a change only if the object does not exist. In that case, the scenario is wrong. */
function inVault(change: Promise<void>): void {
  change.catch((error: unknown) => {
    throw error;
  });
}

export interface Playing {
  readonly seed: number;
  readonly minutes: number;
  readonly mayList?: boolean | undefined;
  readonly cast?: Cast | undefined;
}

/** Plays a scenario, then waits until everything must be at rest, and returns the violations. */
export async function play(
  report: (stage: Stage) => void,
  { seed, minutes, mayList = true, cast = "team" }: Playing,
): Promise<readonly Violation[]> {
  const world = await startWorld(seed, { size: { ...SIZE, ...CASTS[cast], listers: mayList ? 1 : 0 } });
  const watching = new Watching(world, INVARIANTS);
  applyLostClasses(world);
  const isWell = (): boolean => watching.isWell;
  report(new Stage(world));
  await world.scheduler.runUntil(minutes * MINUTE + QUIET_MS, isWell);
  if (watching.isWell) watching.rest();
  world.end();
  return watching.violations;
}
