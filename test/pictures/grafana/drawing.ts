/** The part of a dashboard that is drawn, and what Prometheus answered to its queries. */
export interface Drawing {
  readonly panels: readonly Panel[];
  /** By the id of the panel. */
  readonly series: Readonly<Record<number, readonly DrawnSeries[]>>;
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Height in rows of the dashboard's grid. */
  readonly rows: number;
}

/** A panel of Grafana's dashboard schema, as far as it is drawn. */
export interface Panel {
  readonly id: number;
  readonly type: "row" | "stat" | "timeseries" | "table";
  readonly title: string;
  /** In columns of 24, and rows. */
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  readonly fieldConfig?: { readonly defaults: Readonly<Record<string, unknown>> };
}

export interface DrawnSeries {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  /** One for each time; null if the value is not a finite number. */
  readonly values: readonly (number | null)[];
}
