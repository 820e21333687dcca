import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { cut, escapedHtml } from "../output/html.ts";
import type { PageStatistics, ProgressStatistics } from "../site/progress/statistics.ts";
import type { Figures } from "./figures.ts";
import type { Words } from "./words.ts";

use([BarChart, GridComponent, LegendComponent, SVGRenderer]);

/** What a drawing is made for. It is shown at about its own width in pixels, so that its letters keep their size. */
interface Format {
  /** Class of the element; the page shows the one that fits the window. */
  readonly name: "wide" | "narrow";
  readonly width: number;
  /** Characters of a page's name. */
  readonly maxLabelLength: number;
}

const formats: readonly Format[] = [
  { name: "wide", width: 960, maxLabelLength: 28 },
  { name: "narrow", width: 340, maxLabelLength: 14 },
];

const rowHeight = 34;
const plotMargin = 24;
/** Pixels that a character of 13 pixels takes at most on average. */
const characterWidth = 9;

/** Colours are the page's own variables: one drawing for light, dark and paper. */
const colour = {
  text: "var(--text)",
  muted: "var(--muted)",
  line: "var(--line)",
  first: "var(--first)",
  second: "var(--second)",
  onBar: "var(--on-bar)",
} as const;

/**
 * How far somebody got on a page before they stopped, in the order of its steps: each stage has one colour and one name on every
 * page. More colours than these nobody tells apart.
 */
const stageColours = [
  "var(--rest)",
  "var(--first)",
  "var(--second)",
  "var(--third)",
  "var(--fourth)",
  "var(--fifth)",
] as const;

const textStyle = { fontFamily: "system-ui, sans-serif", fontSize: 13, color: colour.text };

/** An axis of whole numbers. */
function valueAxis({ grouped }: Figures) {
  return {
    type: "value" as const,
    minInterval: 1,
    splitLine: { lineStyle: { color: colour.line } },
    axisLabel: { ...textStyle, color: colour.muted, formatter: (value: number) => grouped(value) },
  };
}

const categoryStyle = {
  axisTick: { show: false },
  axisLine: { lineStyle: { color: colour.line } },
  axisLabel: { ...textStyle, interval: 0 },
};

const legend = {
  top: 0,
  left: 0,
  textStyle,
  itemWidth: 14,
  itemHeight: 14,
  itemGap: 16,
  icon: "rect",
};

/** Users in each bin of completion, as SVG elements, one for each width of window. */
export function distributionChart(
  bins: ProgressStatistics["completion"]["distribution"],
  words: Words,
): string {
  return draw(words.completion.join(": "), ({ name }) => ({
    height: 300,
    grid: { left: 64, right: 8, top: 28, bottom: 32 },
    xAxis: {
      type: "category",
      data: bins.map(({ from, to }) => (name === "wide" ? `${from}–${to} %` : String(from))),
      ...categoryStyle,
    },
    yAxis: valueAxis(words.figures),
    series: [
      bars(
        words.overall.users,
        bins.map(({ users }) => users),
        { color: colour.first, label: { position: "top", text: words.figures.grouped } },
      ),
    ],
  }));
}

/** Visitors and completions of each page, as SVG elements. */
export function pagesChart(pages: readonly PageStatistics[], words: Words): string {
  const names = pages.map(({ page }) => page);
  return draw(words.pages.join(": "), (format) => ({
    height: 76 + pages.length * rowHeight * 1.3,
    legend,
    grid: { left: labelSpace(names, format), right: format.width / 12, top: 40, bottom: 32 },
    xAxis: valueAxis(words.figures),
    yAxis: rowNames(names, format),
    series: [
      bars(
        words.visitors,
        pages.map(({ visitors }) => visitors),
        { color: colour.first, label: { position: "right", text: words.figures.grouped } },
      ),
      bars(
        words.completed,
        pages.map(({ completed }) => completed),
        { color: colour.second, label: { position: "right", text: words.figures.grouped } },
      ),
    ],
  }));
}

/** Where those who did not complete a page stopped, as SVG elements; empty when everybody completed every page. */
export function stopsChart(pages: readonly PageStatistics[], words: Words): string {
  const rows = pages.filter(({ stops }) => stops.length > 0);
  if (rows.length === 0) return "";
  const names = rows.map(({ page }) => page);
  const counted = rows.map((page) => usersByStage(page));
  const most = Math.max(...counted.map(sum));
  return draw(words.stops.join(": "), (format) => {
    const perUser = (format.width - labelSpace(names, format) - plotMargin) / most;
    const legendHeight = format.name === "wide" ? 40 : 64;
    const users = valueAxis(words.figures);
    return {
      height: 40 + legendHeight + rows.length * rowHeight,
      legend,
      grid: { left: labelSpace(names, format), right: plotMargin, top: legendHeight, bottom: 32 },
      xAxis: { ...users, max: most, axisLabel: { ...users.axisLabel, showMaxLabel: false } },
      yAxis: rowNames(names, format),
      series: stageColours.map((color, stage) => ({
        ...bars(words.stages[stage] ?? "", [], { color }),
        stack: "stops",
        data: counted.map((stopped) => stopBar(stopped[stage] ?? 0, perUser, words.figures)),
      })),
    };
  });
}

/** Users of one page by the place of the last step that they completed; the last stage holds all further ones. */
function usersByStage({ steps, stops }: PageStatistics): number[] {
  const users = stageColours.map(() => 0);
  for (const { step, users: stopped } of stops) {
    const place = step === null ? 0 : steps.findIndex((each) => each.step === step) + 1;
    const stage = Math.min(place, stageColours.length - 1);
    users[stage] = (users[stage] ?? 0) + stopped;
  }
  return users;
}

/** A number only where it has room. */
function stopBar(users: number, pixelsPerUser: number, { grouped }: Figures) {
  const text = grouped(users);
  return {
    // Nothing is drawn for "-", and an empty bar for 0.
    value: users === 0 ? "-" : users,
    label: {
      show: (text.length + 1) * characterWidth < users * pixelsPerUser,
      formatter: () => text,
      position: "inside" as const,
      color: colour.onBar,
    },
  };
}

/** Left of the bars. Nothing can be measured here, so the widest common font is assumed. */
function labelSpace(names: readonly string[], { maxLabelLength }: Format): number {
  return 16 + characterWidth * Math.min(maxLabelLength, Math.max(...names.map((name) => name.length)));
}

function rowNames(names: readonly string[], { maxLabelLength }: Format) {
  const shortened = names.map((name) => cut(name, maxLabelLength));
  return { type: "category" as const, data: shortened, inverse: true, ...categoryStyle };
}

interface BarStyle {
  readonly color: string;
  readonly label?: { readonly position: "top" | "right"; readonly text: (value: number) => string };
}

function bars(name: string, data: number[], { color, label }: BarStyle) {
  return {
    type: "bar" as const,
    name,
    data,
    barMaxWidth: 56,
    itemStyle: { color },
    silent: true,
    ...(label && {
      label: {
        show: true,
        position: label.position,
        formatter: ({ value }: { value?: unknown }) => label.text(Number(value)),
        ...textStyle,
      },
    }),
  };
}

export interface Series {
  readonly name: string;
  readonly color: "first" | "second" | "third" | "fourth";
  readonly values: readonly number[];
}

interface TimeScale {
  readonly series: readonly Series[];
  readonly figures: Figures;
  /** A value of the axis for people. */
  readonly unit?: (value: number) => string;
  /** The axis goes up to this at least: smaller values are told apart by nobody. */
  readonly least?: number;
}

/** Columns over days or weeks, one series on the other, by an axis in a unit for people. */
export function timeChart(
  description: string,
  days: readonly string[],
  { series, figures, unit, least = 0 }: TimeScale,
): string {
  const sums = days.map((_day, at) => sum(series.map(({ values }) => values[at] ?? 0)));
  const isShort = Math.max(0, ...sums) < least;
  const isNamed = series.length > 1;
  const { axisLabel, ...axis } = valueAxis(figures);
  return draw(description, ({ name }) => ({
    height: name === "wide" ? 260 : 220,
    ...(isNamed ? { legend } : {}),
    grid: {
      left: unit === undefined ? 64 : 72,
      right: 8,
      top: isNamed ? (name === "wide" ? 40 : 64) : 16,
      bottom: 32,
    },
    xAxis: {
      type: "category",
      data: days.map(figures.dayOfYear),
      ...categoryStyle,
      axisLabel: { ...categoryStyle.axisLabel, interval: "auto" as const },
    },
    yAxis: {
      ...axis,
      ...(unit === undefined ? {} : { minInterval: 0 }),
      ...(isShort ? { max: least } : {}),
      axisLabel: { ...axisLabel, ...(unit === undefined ? {} : { formatter: unit }) },
    },
    series: series.map(({ name: of, color, values }) => ({
      ...bars(of, [...values], { color: `var(--${color})` }),
      stack: "time",
    })),
  }));
}

type Drawing = Parameters<ReturnType<typeof init>["setOption"]>[0] & { readonly height: number };

function draw(description: string, drawingFor: (format: Format) => Drawing): string {
  return formats
    .map((format) => {
      const { height, ...drawing } = drawingFor(format);
      const chart = init(null, null, { renderer: "svg", ssr: true, width: format.width, height });
      try {
        chart.setOption({ ...drawing, animation: false, textStyle });
        const svg = chart.renderToSVGString({ useViewBox: true });
        return svg.replace(
          "<svg ",
          `<svg class="${format.name}" role="img" aria-label="${escapedHtml(description)}" `,
        );
      } finally {
        chart.dispose();
      }
    })
    .join("");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
