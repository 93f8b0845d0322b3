// Elements of the page. Texts are set as text, so that no name can become markup.

/** Return a new element; `on...` properties are listeners, others are attributes. */
export function element(tag, properties = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Return a new element of SVG. */
export function drawing(tag, attributes = {}, children = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

let nFields = 0;

/** Return a label and its field, which know each other. */
function labelled(text, field, note) {
  nFields += 1;
  field.id = `mvx-field-${nFields}`;
  const label = element("label", { for: field.id, text });
  const children = note ? [label, field, note] : [label, field];
  return element("div", { class: "mvx-field" }, children);
}

/** Return a choice of one of several: { node, set(value), offer(choices) }. */
export function choice(text, choose) {
  const select = element("select", { onchange: () => choose(select.value) });
  let offered = "";
  return {
    node: labelled(text, select),
    offer(choices) {
      const now = JSON.stringify(choices);
      if (now === offered) return;
      offered = now;
      const options = Object.entries(choices).map(([value, shown]) =>
        element("option", { value, text: shown }),
      );
      select.replaceChildren(...options);
    },
    set(value) {
      select.value = value;
    },
  };
}

/** Return a slider: { node, set(value, words, most) }. */
export function slider(text, { min, max, step, move }) {
  const words = element("output", { class: "mvx-value" });
  const input = element("input", {
    type: "range",
    min,
    max,
    step,
    oninput: () => move(Number(input.value)),
  });
  return {
    node: labelled(text, input, words),
    set(value, shown, most = max) {
      input.max = most;
      input.value = value;
      words.textContent = shown;
      input.setAttribute("aria-valuetext", shown);
    },
  };
}

export function button(text, title, press) {
  return element("button", { type: "button", text, title, onclick: press });
}

/** Return a number in few digits. */
export function short(value) {
  if (value === null || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}
