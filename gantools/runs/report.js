// Under the pointer, a chart says its nearest point instead of its extremes.
for (const chart of document.querySelectorAll("figure.chart:has(svg)")) {
  const svg = chart.querySelector("svg");
  const line = svg.querySelector("polyline").points;
  const mark = svg.querySelector(".mark");
  const caption = chart.querySelector("p");
  const said = caption.textContent;
  const points = svg.dataset.points.split(" ").map((point) => point.split(":").map(Number));
  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY);
    const { x } = at.matrixTransform(svg.getScreenCTM().inverse());
    let near = 0;
    for (let i = 1; i < line.length; i++)
      if (Math.abs(line[i].x - x) < Math.abs(line[near].x - x)) near = i;
    mark.setAttribute("transform", `translate(${line[near].x} 0)`);
    mark.querySelector("circle").setAttribute("cy", line[near].y);
    const [turn, value] = points[near];
    caption.textContent = `turn ${turn.toLocaleString("en")}: ${Number(value.toPrecision(5))}`;
    chart.classList.add("read");
  });
  svg.addEventListener("pointerleave", () => {
    caption.textContent = said;
    chart.classList.remove("read");
  });
}
