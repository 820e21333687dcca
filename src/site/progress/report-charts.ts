import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { PageStatistics, ProgressStatistics } from "./statistics.ts";

use([BarChart, GridComponent, LegendComponent, SVGRenderer]);

const width = 960;
const rowHeight = 34;
const plotMargin = 24;
const maxLabelLength = 28;
/** Pixels that a character of 13 pixels takes at most on average. */
const characterWidth = 8;

/** Colours are the page's own variables: one drawing for light, dark and paper. */
const colour = {
  text: "var(--text)",
  muted: "var(--muted)",
  line: "var(--line)",
  first: "var(--first)",
  second: "var(--second)",
  /** The most frequent steps are told apart; more colours than these nobody tells apart either. */
  series: ["var(--first)", "var(--second)", "var(--third)", "var(--fourth)"],
  rest: "var(--rest)",
  onBar: "var(--on-bar)",
} as const;

const textStyle = { fontFamily: "system-ui, sans-serif", fontSize: 13, color: colour.text };
const valueAxis = {
  type: "value",
  minInterval: 1,
  splitLine: { lineStyle: { color: colour.line } },
  axisLabel: { ...textStyle, color: colour.muted },
} as const;

const categoryStyle = {
  axisTick: { show: false },
  axisLine: { lineStyle: { color: colour.line } },
  axisLabel: { ...textStyle, interval: 0 },
};

/** Users in each bin of completion, as an SVG element. */
export function distributionChart(bins: ProgressStatistics["completion"]["distribution"]): string {
  return draw(300, "Users by completion", {
    grid: { left: 48, right: 8, top: 28, bottom: 32 },
    xAxis: { type: "category", data: bins.map(({ from, to }) => `${from}–${to} %`), ...categoryStyle },
    yAxis: valueAxis,
    series: [
      bars(
        "users",
        bins.map(({ users }) => users),
        { color: colour.first, label: "top" },
      ),
    ],
  });
}

/** Visitors and completions of each page, as an SVG element. */
export function pagesChart(pages: readonly PageStatistics[]): string {
  const names = pages.map(({ page }) => page);
  const legend = { top: 0, left: 0, textStyle, itemWidth: 14, itemHeight: 14, itemGap: 40, icon: "rect" };
  return draw(76 + pages.length * rowHeight * 1.3, "Visitors and completions by page", {
    legend,
    grid: { left: labelSpace(names), right: 72, top: 40, bottom: 32 },
    xAxis: valueAxis,
    yAxis: rowNames(names),
    series: [
      bars(
        "visitors",
        pages.map(({ visitors }) => visitors),
        { color: colour.first, label: "right" },
      ),
      bars(
        "completed",
        pages.map(({ completed }) => completed),
        { color: colour.second, label: "right" },
      ),
    ],
  });
}

/** Where those who did not complete a page stopped, as an SVG element; empty when everybody completed every page. */
export function stopsChart(pages: readonly PageStatistics[]): string {
  const rows = pages.filter(({ stops }) => stops.length > 0);
  if (rows.length === 0) return "";
  const names = rows.map(({ page }) => page);
  const most = Math.max(...rows.map(({ stops }) => sum(stops.map(({ users }) => users))));
  const perUser = (width - labelSpace(names) - plotMargin) / most;
  const ranked = rows.map(({ stops }) => stops.toSorted((a, b) => b.users - a.users));
  const others = ranked.map((stops) => sum(stops.slice(colour.series.length).map(({ users }) => users)));
  return draw(48 + rows.length * rowHeight, "Where people stop", {
    grid: { left: labelSpace(names), right: plotMargin, top: 8, bottom: 32 },
    xAxis: { ...valueAxis, max: most, axisLabel: { ...valueAxis.axisLabel, showMaxLabel: false } },
    yAxis: rowNames(names),
    series: [
      ...colour.series.map((color, place) => ({
        ...bars("", [], { color }),
        stack: "stops",
        data: ranked.map((stops) => stopBar(stops[place], perUser)),
      })),
      { ...bars("", others, { color: colour.rest }), stack: "stops" },
    ],
  });
}

/** How the step is called after which somebody stopped. */
export function stopName(step: string | null): string {
  return step ?? "not begun";
}

/** A label only where it has room. */
function stopBar(stop: PageStatistics["stops"][number] | undefined, pixelsPerUser: number) {
  const { step = null, users = 0 } = stop ?? {};
  const text = `${stopName(step)} ${users}`;
  return {
    value: users,
    label: {
      show: text.length * characterWidth < users * pixelsPerUser,
      formatter: () => text,
      position: "inside" as const,
      color: colour.onBar,
    },
  };
}

/** Left of the bars. Nothing can be measured here, so the widest common font is assumed. */
function labelSpace(names: readonly string[]): number {
  return 16 + characterWidth * Math.min(maxLabelLength, Math.max(...names.map((name) => name.length)));
}

function rowNames(names: readonly string[]) {
  const shortened = names.map((name) => {
    const characters = Array.from(name);
    return characters.length <= maxLabelLength
      ? name
      : `${characters.slice(0, maxLabelLength - 1).join("")}…`;
  });
  return { type: "category" as const, data: shortened, inverse: true, ...categoryStyle };
}

function bars(name: string, data: number[], style: { color: string; label?: "top" | "right" }) {
  const label = { show: true, position: style.label, ...textStyle };
  return {
    type: "bar" as const,
    name,
    data,
    barMaxWidth: 56,
    itemStyle: { color: style.color },
    silent: true,
    ...(style.label === undefined ? {} : { label }),
  };
}

type Drawing = Parameters<ReturnType<typeof init>["setOption"]>[0];

function draw(height: number, description: string, drawing: Drawing): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ ...drawing, animation: false, textStyle });
    const svg = chart.renderToSVGString({ useViewBox: true });
    return svg.replace("<svg ", `<svg role="img" aria-label="${description}" `);
  } finally {
    chart.dispose();
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
