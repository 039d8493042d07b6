/* Dialogs and drawers are those of dash-bootstrap-components, whose code comes when the first is opened. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const late = (type) => (props) => {
    const found = useLibrary(props.is_open);
    return found ? own.h(found[type], props) : null;
  };
  const types = ["Modal", "ModalBody", "ModalHeader", "ModalTitle", "Offcanvas"];
  const ours = Object.fromEntries(types.map((type) => [type, late(type)]));
  const { use: useLibrary } = own.library("overlay", "dash_bootstrap_components", ours);
})();
