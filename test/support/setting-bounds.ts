/** Settings with bounds, and values at each bound and beyond it. */
import { boundsOf, type Setting, type SettingKind } from "../../src/runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../src/runtime/settings.ts";
import { valuePathOf } from "../../tools/helm-chart/values-settings.ts";

interface BoundedSetting {
  readonly flag: SettingName;
  readonly type: SettingKind;
  /** Of the chart's value. Undefined if the chart has none. */
  readonly path: string | undefined;
  readonly least: number;
  readonly most: number | undefined;
  /** Texts of values at the bounds. */
  readonly accepted: readonly string[];
  /** Texts of values just beyond the bounds. */
  readonly refused: readonly string[];
}

/** Every setting that has a smallest value. */
export function boundedSettings(): readonly BoundedSetting[] {
  return (Object.entries(SETTINGS) as [SettingName, Setting][]).flatMap(([flag, { type }]) => {
    if (type.kind !== "count" && type.kind !== "duration" && type.kind !== "port") return [];
    const { least, most } = boundsOf(type);
    const written = (value: number): string => (type.kind === "duration" ? `${value}ms` : String(value));
    // The flag's form has no sign: nothing is below zero.
    const below = least === 0 ? [] : [written(least - 1)];
    const above = most === undefined ? [] : [written(most + 1)];
    const accepted = [least, ...(most === undefined ? [] : [most])].map(written);
    return [{ flag, type, path: valuePathOf(flag), least, most, accepted, refused: [...below, ...above] }];
  });
}
