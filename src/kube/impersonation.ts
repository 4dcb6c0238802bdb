import type { KubeConfig, User } from "@kubernetes/client-node";
import { isJsonObject } from "../domain/json-object.ts";

/** Identity that a kubeconfig's user acts as, in addition to the name (`as`). client-node reads only the name. */
export interface Impersonation {
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A user of a kubeconfig with the fields that client-node does not read. */
interface ImpersonatingUser extends User {
  impersonation?: Impersonation | undefined;
}

/**
 * A byte that client-go sends unchanged in a header name: a token character (RFC 7230) except `%`, with which client-go escapes the other
 * bytes.
 */
const PLAIN = /[\w!#$&'*+.^`|~-]/;

/** Reads `as-groups`, `as-uid` and `as-user-extra`, like client-go's AuthInfo. */
export function addImpersonation(user: ImpersonatingUser, fields: Readonly<Record<string, unknown>>): void {
  const extra = Object.entries(isJsonObject(fields["as-user-extra"]) ? fields["as-user-extra"] : {});
  const uid = fields["as-uid"];
  const read = {
    groups: textsOf(fields["as-groups"]),
    uid: typeof uid === "string" && uid !== "" ? uid : undefined,
    extra: Object.fromEntries(extra.map(([key, values]) => [key, textsOf(values)])),
  };
  if (read.groups.length > 0 || read.uid !== undefined || extra.length > 0) user.impersonation = read;
}

/** Returns the user as acting under `name`, without any impersonation from before. */
export function impersonating(user: User, name: string): User {
  const { impersonation: _before, ...known }: ImpersonatingUser = user;
  return { ...known, impersonateUser: name };
}

/**
 * Whether the user impersonates groups, a UID, or extra fields without a user name. client-go rejects this as well: the groups would belong
 * to no user.
 */
export function isNobodysImpersonation(user: ImpersonatingUser | null): boolean {
  return user?.impersonation !== undefined && (user.impersonateUser ?? "") === "";
}

/** Headers other than `Impersonate-User`. A header with several values is sent once for each value. */
export function impersonationHeaders(config: KubeConfig): Readonly<Record<string, string | string[]>> {
  const user: ImpersonatingUser | null = config.getCurrentUser();
  if (user?.impersonation === undefined) return {};
  const { groups, uid, extra } = user.impersonation;
  const extras = Object.entries(extra).map(([key, values]) => [`Impersonate-Extra-${escaped(key)}`, [...values]] as const);
  return {
    ...(groups.length === 0 ? {} : { "Impersonate-Group": [...groups] }),
    ...(uid === undefined ? {} : { "Impersonate-Uid": uid }),
    ...Object.fromEntries(extras.filter(([, values]) => values.length > 0)),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

function escaped(key: string): string {
  const bytes = [...Buffer.from(key, "utf8")];
  return bytes
    .map((byte) => [byte, String.fromCodePoint(byte)] as const)
    .map(([byte, text]) => (PLAIN.test(text) ? text : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`))
    .join("");
}
