import type { KubeConfig, User } from "@kubernetes/client-node";
import { isJsonObject } from "../domain/json-object.ts";

/** Whom a kubeconfig's user acts as, beside the name (`as`), which is all that client-node reads. */
export interface Impersonation {
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A user of a kubeconfig with what client-node does not read of it. */
interface ImpersonatingUser extends User {
  impersonation?: Impersonation | undefined;
}

/** A byte that client-go sends as it is in the name of a header: a token's (RFC 7230) without `%`, by which it escapes the others. */
const PLAIN = /[\w!#$&'*+.^`|~-]/;

/** Reads `as-groups`, `as-uid` and `as-user-extra`, as client-go's AuthInfo. */
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

/** Nothing of whom the user acted as before stays. */
export function impersonating(user: User, name: string): User {
  const { impersonation: _before, ...known }: ImpersonatingUser = user;
  return { ...known, impersonateUser: name };
}

/** client-go refuses it as well: a group alone would be asked for as nobody's. */
export function isNobodysImpersonation(user: ImpersonatingUser | null): boolean {
  return user?.impersonation !== undefined && (user.impersonateUser ?? "") === "";
}

/** Those beside `Impersonate-User`; a header with several values is sent once for each. */
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
