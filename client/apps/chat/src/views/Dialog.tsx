/** A dialog of the browser's own: it keeps the focus inside, closes with Esc, and gives the focus back. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { t } from "../i18n/bundles";
import { IconButton } from "./parts";

export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; class?: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      // Unless a shortcut has put the focus elsewhere.
      const isLost = document.activeElement === document.body || dialog.current?.contains(document.activeElement);
      if (isLost && before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={title}
      onClose={props.onClose}
      onClick={(event) => {
        if (event.target === dialog.current) {
          props.onClose();
        }
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={title}>{props.title}</h2>
          <IconButton icon="close" label={t("close")} onClick={props.onClose} />
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

/** A field with its label, and what is wrong with it. */
export function Field(props: { label: string; hint?: string | undefined; error?: string | undefined; children: (ids: { id: string; describedBy: string | undefined }) => ComponentChildren }) {
  const id = useId();
  const told = props.error ?? props.hint;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({ id, describedBy: told === undefined ? undefined : `${id}-told` })}
      {told !== undefined && (
        <p id={`${id}-told`} class={props.error === undefined ? "hint" : "error"} role={props.error === undefined ? undefined : "alert"}>
          {told}
        </p>
      )}
    </div>
  );
}
