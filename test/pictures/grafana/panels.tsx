/** Draws panels of a dashboard with Grafana's own components, laid out in Grafana's grid. */
import {
  createTheme,
  type DataFrame,
  dateTime,
  type Field,
  FieldType,
  type GrafanaTheme2,
  getDisplayProcessor,
  reduceField,
  ThemeContext,
} from "@grafana/data";
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LineInterpolation,
  VisibilityMode,
} from "@grafana/schema";
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from "@grafana/ui";
import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import type { Drawing, DrawnSeries, Panel } from "./drawing.ts";

declare global {
  interface Window {
    readonly drawing: Drawing;
  }
}

/** Pixels: Grafana's own grid. */
const WIDTH = 1_400;
const ROW = 30;
const GAP = 8;
const COLUMN = (WIDTH - GAP * 25) / 24;

/** Grafana's defaults for a line. */
const LINE = {
  drawStyle: GraphDrawStyle.Line,
  lineInterpolation: LineInterpolation.Linear,
  lineWidth: 1,
  fillOpacity: 0,
  showPoints: VisibilityMode.Never,
  pointSize: 5,
  axisPlacement: AxisPlacement.Auto,
  spanNulls: false,
};

interface Size {
  readonly width: number;
  readonly height: number;
}

function frameOf(
  panel: Panel,
  series: DrawnSeries,
  { seriesIndex, theme }: { readonly seriesIndex: number; readonly theme: GrafanaTheme2 },
): DataFrame {
  const color = { mode: panel.type === "stat" ? "thresholds" : "palette-classic" };
  const value: Field = {
    name: "Value",
    type: FieldType.number,
    values: [...series.values],
    config: { color, custom: LINE, ...panel.fieldConfig?.defaults, displayName: series.name },
    state: { seriesIndex },
  };
  value.display = getDisplayProcessor({ field: value, theme });
  const time: Field = { name: "Time", type: FieldType.time, values: [...series.times], config: {} };
  time.display = getDisplayProcessor({ field: time, theme });
  return { name: series.name, fields: [time, value], length: series.times.length };
}

interface DrawnPanel extends Size {
  readonly frames: DataFrame[];
  readonly theme: GrafanaTheme2;
}

function Stat({ frames, theme, width, height }: DrawnPanel): ReactNode {
  return (
    <div style={{ display: "flex" }}>
      {frames.map((frame) => {
        const field = frame.fields[1];
        const last: unknown = field === undefined ? undefined : reduceField({ field, reducers: ["lastNotNull"] })["lastNotNull"];
        const shown = field?.display?.(last) ?? { text: "", numeric: Number.NaN };
        return (
          <BigValue
            key={frame.name}
            theme={theme}
            value={frames.length > 1 ? { ...shown, title: frame.name ?? "" } : shown}
            width={width / frames.length}
            height={height}
            colorMode={BigValueColorMode.Background}
            graphMode={BigValueGraphMode.None}
            justifyMode={BigValueJustifyMode.Auto}
            textMode={BigValueTextMode.Auto}
          />
        );
      })}
    </div>
  );
}

function Graph({ frames, width, height }: DrawnPanel): ReactNode {
  const [from, to] = [dateTime(window.drawing.from * 1_000), dateTime(window.drawing.to * 1_000)];
  return (
    <TimeSeries
      frames={frames}
      structureRev={1}
      timeRange={{ from, to, raw: { from, to } }}
      timeZone="utc"
      width={width}
      height={height}
      legend={{ calcs: [], displayMode: LegendDisplayMode.List, placement: "bottom", showLegend: true }}
    />
  );
}

function Inside(props: DrawnPanel & { readonly panel: Panel }): ReactNode {
  const { frames, panel, theme, height } = props;
  if (frames.length > 0) return panel.type === "stat" ? <Stat {...props} /> : <Graph {...props} />;
  const color = theme.colors.text?.secondary;
  return <div style={{ display: "flex", height, alignItems: "center", justifyContent: "center", color }}>No data</div>;
}

function Dashboard({ panels, series, rows, theme }: Drawing & { readonly theme: GrafanaTheme2 }): ReactNode {
  const { background, text } = theme.colors;
  return (
    <div id="dashboard" style={{ position: "relative", width: WIDTH, height: rows * (ROW + GAP) + GAP, background: background?.canvas }}>
      {panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const size: Size = { width: w * (COLUMN + GAP) - GAP, height: h * (ROW + GAP) - GAP };
        const place = { position: "absolute", left: GAP + x * (COLUMN + GAP), top: GAP + y * (ROW + GAP), ...size } as const;
        if (panel.type === "row")
          return (
            <h5 key={panel.id} style={{ ...place, color: text?.primary }}>
              {panel.title}
            </h5>
          );
        const frames = (series[panel.id] ?? []).map((each, seriesIndex) => frameOf(panel, each, { seriesIndex, theme }));
        return (
          <div key={panel.id} style={place}>
            <PanelChrome title={panel.title} {...size}>
              {(width: number, height: number) => <Inside panel={panel} frames={frames} theme={theme} width={width} height={height} />}
            </PanelChrome>
          </div>
        );
      })}
    </div>
  );
}

const theme = createTheme({ colors: { mode: "light" } });
const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Dashboard {...window.drawing} theme={theme} />
    </ThemeContext.Provider>,
  );
