"""Russian, in the words of Blender's own interface: арматура, кость, поза, ключевой кадр."""

LABELS = {
    "Add Drawings...": "Добавить рисунки...",
    "Add Frames to List": "Добавить кадры в список",
    "Add Mannequin": "Добавить манекен",
    "Choose Bone": "Выбрать кость",
    "Choose Figure": "Выбрать фигуру",
    "Clear Reference": "Сбросить опорную позу",
    "Export BVH": "Экспорт BVH",
    "Export JSON": "Экспорт JSON",
    "Export Croquis Pose (.bvh)": "Экспорт позы Croquis (.bvh)",
    "Export Croquis Pose (.json)": "Экспорт позы Croquis (.json)",
    "Croquis Pose (.bvh)": "Поза Croquis (.bvh)",
    "Croquis Pose (.json)": "Поза Croquis (.json)",
    "Drawing's View": "Вид рисунка",
    "First Reading": "Самая вероятная трактовка",
    "Flip Limb": "Развернуть конечность",
    "From Grease Pencil": "Из Grease Pencil",
    "From Render": "Из рендера",
    "From Viewport": "Из вьюпорта",
    "Hide Joint": "Скрыть сустав",
    "Insert Keyframes": "Вставить ключевые кадры",
    "Load Pose": "Загрузить позу",
    "Look at Pose": "Осмотреть позу",
    "Match Anew": "Сопоставить заново",
    "Mirror": "Отразить",
    "Move Drawing": "Переместить рисунок",
    "Move Joint": "Передвинуть сустав",
    "Next Reading": "Следующая трактовка",
    "Open Drawing": "Открыть рисунок",
    "Pose Sequence": "Позы по последовательности",
    "Pose from Model Sheet": "Поза по листу персонажа",
    "Pose from Sketch": "Поза по рисунку",
    "Previous Reading": "Предыдущая трактовка",
    "Remove Drawing": "Убрать рисунок",
    "Render Dataset": "Рендер набора данных",
    "Reset All Joints": "Сбросить все суставы",
    "Reset Joint": "Сбросить сустав",
    "Save to Pose Library": "Сохранить в библиотеку поз",
    "Show Contact Sheet": "Показать контактный лист",
    "Side View": "Вид сбоку",
    "Use Pose as Reference": "Взять позу за опорную",
    "Show Joint": "Показать сустав",
}

TEXTS = {
    # Panels
    "Bones": "Кости",
    "Cameras": "Камеры",
    "Character": "Персонаж",
    "Chosen by Hand": "Выбраны вручную",
    "Dataset": "Набор данных",
    "Drawing": "Рисунок",
    "Fix Mapping": "Исправить сопоставление",
    "Found by Shape": "Найдены по форме",
    "Keep": "Сохранение",
    "Mannequin": "Манекен",
    "Pose": "Поза",
    "Poses and Figures": "Позы и фигуры",
    "Readings": "Трактовки",
    "Reference": "Референс",
    "Run": "Запуск",
    "Several Drawings": "Несколько рисунков",
    "Style": "Стиль",
    "{}, {} of {} bones": "{:text}, костей: {:number} из {:number}",
    "{} of {}": "{:number} из {:number}",
    "Faces us": "Лицом к нам",
    "Turned away": "Спиной к нам",
    "In Front": "Спереди",
    "Behind": "Сзади",
    "Left and right unsure": "Лево и право под вопросом",
    "Shift-click to choose several": "Shift + щелчок — выбрать несколько",
    # Limbs
    "Trunk": "Туловище",
    "Left Arm": "Левая рука",
    "Left Forearm": "Левое предплечье",
    "Right Arm": "Правая рука",
    "Right Forearm": "Правое предплечье",
    "Left Leg": "Левая нога",
    "Left Shin": "Левая голень",
    "Right Leg": "Правая нога",
    "Right Shin": "Правая голень",
    "Arms": "Руки",
    "Legs": "Ноги",
    "Arms and Legs": "Руки и ноги",
    # Parts of the body
    "Hips": "Таз",
    "Spine": "Позвоночник",
    "Spine 2": "Позвоночник 2",
    "Chest": "Грудь",
    "Neck": "Шея",
    "Head": "Голова",
    "Top of Head": "Макушка",
    "Lower Back": "Поясница",
    "Upper Back": "Верх спины",
    "Left Collarbone": "Левая ключица",
    "Left Upper Arm": "Левое плечо",
    "Left Hand": "Левая кисть",
    "Right Collarbone": "Правая ключица",
    "Right Upper Arm": "Правое плечо",
    "Right Hand": "Правая кисть",
    "Left Thigh": "Левое бедро",
    "Left Foot": "Левая стопа",
    "Left Toes": "Пальцы левой ноги",
    "Right Thigh": "Правое бедро",
    "Right Foot": "Правая стопа",
    "Right Toes": "Пальцы правой ноги",
    "Left Shoulder": "Левый плечевой сустав",
    "Left Elbow": "Левый локоть",
    "Left Wrist": "Левое запястье",
    "Right Shoulder": "Правый плечевой сустав",
    "Right Elbow": "Правый локоть",
    "Right Wrist": "Правое запястье",
    "Left Hip": "Левый тазобедренный сустав",
    "Left Knee": "Левое колено",
    "Left Ankle": "Левая лодыжка",
    "Right Hip": "Правый тазобедренный сустав",
    "Right Knee": "Правое колено",
    "Right Ankle": "Правая лодыжка",
    "hips": "таза",
    "arms": "рук",
    "legs": "ног",
    "left": "левая",
    "right": "правая",
    # Settings
    "Apply To": "Применить к",
    "Which bones take over the pose; the others stay as they are": (
        "Какие кости примут позу; остальные не изменятся"
    ),
    "Whole Rig": "Весь риг",
    "All bones of the trunk and the limbs": "Все кости туловища и конечностей",
    "Selected Bones Only": "Только выделенные кости",
    "Those of them that are selected in Pose Mode": "Те из них, что выделены в режиме позы",
    "Upper Body": "Верхняя часть тела",
    "The spine, the head and the arms": "Позвоночник, голова и руки",
    "Lower Body": "Нижняя часть тела",
    "The hips, with the place of the character, and the legs": (
        "Таз вместе с положением персонажа и ноги"
    ),
    "Influence": "Влияние",
    (
        "How far the bones go from the pose that they had before the drawing: at 1 they are posed "
        "as drawn, at 0.5 they stop half way"
    ): (
        "Насколько кости отходят от позы, бывшей до рисунка: при 1 поза как на рисунке, при 0.5 "
        "кости останавливаются на полпути"
    ),
    "Insert Keyframes": "Вставлять ключевые кадры",
    "Insert keyframes for the pose at the current frame": (
        "Вставлять ключевые кадры позы в текущем кадре"
    ),
    "Look through Camera": "Смотреть через камеру",
    "See the posed character over the drawing, through the drawing's own camera": (
        "Видеть персонажа поверх рисунка, через камеру самого рисунка"
    ),
    "Stretch Limbs": "Растягивать конечности",
    "Make arms and legs as long as they are drawn; otherwise all bones keep their lengths": (
        "Сделать руки и ноги такой длины, как на рисунке; иначе все кости сохраняют свою длину"
    ),
    "Joints": "Суставы",
    (
        "Show the joints that were found over the drawing: drag one and the character follows, "
        "click one for more. Blue is left, red is right; a ring was only guessed"
    ): (
        "Показывать найденные суставы поверх рисунка: потяните один — и персонаж последует, "
        "щёлкните — появится меню. Синие — левые, красные — правые; кольцо — лишь догадка"
    ),
    "In the Scene": "В сцене",
    "As a reference image behind the character, from all sides": (
        "Как референс позади персонажа, видимый со всех сторон"
    ),
    "In the Camera": "В камере",
    "As a background of the drawing's camera only": "Только как фон камеры рисунка",
    "Whether the drawing lies behind the character or before it": (
        "Лежит ли рисунок позади персонажа или перед ним"
    ),
    "The character covers the drawing": "Персонаж заслоняет рисунок",
    "The drawing covers the character": "Рисунок заслоняет персонажа",
    "How much of the drawing shows": "Насколько видно рисунок",
    "Armature": "Арматура",
    "Character to pose; without one, Croquis adds its mannequin": (
        "Персонаж, которому задаётся поза; если он не выбран, Croquis добавит манекен"
    ),
    "Picture of the figure whose pose is wanted": "Изображение фигуры, чья поза нужна",
    "Figure": "Фигура",
    "Which figure of the drawing is posed: 1 is the largest": (
        "По какой фигуре рисунка ставится поза: 1 — самая крупная"
    ),
    "Sequence": "Последовательность",
    "Model Sheet": "Лист персонажа",
    "Smoothness": "Плавность",
    "Network": "Нейросеть",
    (
        "ONNX file to find keypoints with, its card (.json) beside it; empty: the network that "
        "comes with Croquis"
    ): (
        "Файл ONNX для поиска ключевых точек, рядом с ним — его карточка (.json); если пусто — "
        "сеть из поставки Croquis"
    ),
    "Threads": "Потоки",
    "Pose Library": "Библиотека поз",
    "Asset library that receives saved poses; empty: the current file": (
        "Библиотека ассетов, куда сохраняются позы; если пусто — текущий файл"
    ),
    # Several drawings
    "Drawings": "Рисунки",
    "The list": "Список",
    "The picture": "Изображение",
    "Row of the chosen drawing": "Строка выбранного рисунка",
    "Kind": "Вид",
    "Whether the drawings show many poses or one": "Показывают ли рисунки много поз или одну",
    "Storyboard panels or keys of an animation: many poses": (
        "Кадры раскадровки или ключевые фазы анимации: много поз"
    ),
    "One pose, drawn from several sides": "Одна поза, нарисованная с нескольких сторон",
    (
        "How calm the motion is between the drawings: limbs whose depth is not sure follow their "
        "neighbours. 0 poses every drawing by itself"
    ): (
        "Насколько спокойно движение между рисунками: конечности с неясной глубиной следуют "
        "соседним рисункам. 0 — поза по каждому рисунку отдельно"
    ),
    "Frame": "Кадр",
    "When the pose of this drawing is keyed": "В каком кадре ставится ключ для позы этого рисунка",
    "Find Angle": "Найти ракурс",
    "Find out from which side this drawing is seen": (
        "Определить, с какой стороны показан этот рисунок"
    ),
    "Angle": "Угол",
    (
        "From which side this drawing is seen: 0 from the front, 90 from the character's left, 180 "
        "from behind, -90 from its right"
    ): (
        "С какой стороны показан этот рисунок: 0 — спереди, 90 — слева от персонажа, 180 — сзади, "
        "-90 — справа от него"
    ),
    "The bones' directions where you have corrected the pose": (
        "Направления костей там, где вы исправили позу"
    ),
    "Whether correcting this drawing helps most": (
        "Поможет ли больше всего исправление этого рисунка"
    ),
    "Whether its frame has a pose": "Есть ли в его кадре поза",
    "Missing": "Отсутствует",
    # Reference and notes
    "How the drawing stands in the scene": "Как рисунок размещён в сцене",
    "Where the drawing is to be seen": "Где виден рисунок",
    "Depth": "Глубина",
    "Opacity": "Непрозрачность",
    "Which bone stands for which part of the body, as chosen by hand": (
        "Какая кость отвечает за какую часть тела — по выбору вручную"
    ),
    "The joints that were found in the last drawing, and what was made of them": (
        "Суставы, найденные на последнем рисунке, и то, как они поняты"
    ),
    "The pose that the last drawing has replaced": "Поза, которую сменил последний рисунок",
    # Preferences
    "Problem": "Неполадка",
    "Why the chosen network cannot be used": "Почему выбранную нейросеть нельзя использовать",
    (
        "How many threads of the processor look at a drawing; 0 takes all, fewer leave some to "
        "other work"
    ): (
        "Сколько потоков процессора разбирают рисунок; 0 — все, меньшее число оставляет "
        "ресурсы другим задачам"
    ),
    "Croquis' Own": "Из поставки Croquis",
    # Dataset
    "Characters": "Персонажи",
    "Animations": "Анимации",
    "Output": "Вывод",
    "Frame Step": "Шаг кадров",
    "Poses per Clip": "Поз на клип",
    "Pose Noise": "Шум позы",
    "Figures Min": "Фигур от",
    "Vary Proportions": "Менять пропорции",
    "Props and Ground": "Реквизит и земля",
    "Random Cameras": "Случайные камеры",
    "Exaggerate Limbs": "Утрировать конечности",
    "Styles": "Стили",
    "Ink": "Инструмент",
    "Write Pictures": "Записывать картинки",
    "Labels": "Разметка",
    "Hold Out": "Отложить",
    "Limit": "Предел",
    "Workers": "Процессы",
    "Folder with the rigged characters to draw (.fbx, .glb, .vrm, .blend)": (
        "Папка с персонажами с ригом, которых нужно рисовать (.fbx, .glb, .vrm, .blend)"
    ),
    "Folder with the animations to put on every character (.fbx, .glb, .bvh, .npz)": (
        "Папка с анимациями, которые получит каждый персонаж (.fbx, .glb, .bvh, .npz)"
    ),
    "Folder that receives the dataset; an interrupted one is continued": (
        "Папка для набора данных; прерванный набор будет продолжен"
    ),
    "Draw only every N-th frame of an animation, as neighbours look alike": (
        "Рисовать только каждый N-й кадр анимации, так как соседние похожи"
    ),
    (
        "Of the frames of each animation, draw only so many: those that differ most from one "
        "another. 0 draws all of them"
    ): (
        "Из кадров каждой анимации рисовать лишь столько — самые непохожие друг на друга. 0 — "
        "рисовать все"
    ),
    (
        "Turn joints at random and blend poses, so that there are more poses than the animations "
        "have; elbows and knees keep bending the right way"
    ): (
        "Случайно поворачивать суставы и смешивать позы, чтобы поз было больше, чем в анимациях; "
        "локти и колени по-прежнему гнутся в нужную сторону"
    ),
    "Fewest figures in a drawing": "Наименьшее число фигур на рисунке",
    "Max": "До",
    "Most figures in a drawing; they may stand before one another": (
        "Наибольшее число фигур на рисунке; они могут заслонять друг друга"
    ),
    (
        "Give the characters other heads, trunks and limbs from clip to clip, from lifelike to "
        "chibi and elongated"
    ): (
        "От клипа к клипу менять персонажам голову, туловище и конечности — от правдоподобных до "
        "чиби и вытянутых"
    ),
    (
        "Draw chairs, boxes, sticks and ground lines too; they cross the figures and have no "
        "labels, so that a network learns to look past them"
    ): (
        "Рисовать также стулья, ящики, палки и линии земли; они пересекают фигуры и не размечены, "
        "чтобы нейросеть училась их не замечать"
    ),
    "Views of each pose, from a ring around the character at mid-back height": (
        "Виды каждой позы — с кольца вокруг персонажа на высоте середины спины"
    ),
    (
        "Leave the ring: look from above and below, tilted, near through a wide lens or far away "
        "without perspective"
    ): (
        "Не держаться кольца: смотреть сверху и снизу, с наклоном, вблизи через широкоугольный "
        "объектив или издали без перспективы"
    ),
    (
        "Draw a fist that is thrust at us larger and a leg that is far away smaller than a camera "
        "would, as artists do"
    ): (
        "Рисовать выставленный к нам кулак крупнее, а дальнюю ногу мельче, чем их видит камера, — "
        "как делают художники"
    ),
    "Ways of drawing; with several, each drawing takes one of them": (
        "Способы рисования; если их несколько, каждый рисунок получает один из них"
    ),
    "Outlines and creases of the character, fast": "Контуры и складки персонажа, быстро",
    "The same lines by Blender's slower renderer, for comparison": (
        "Те же линии от более медленного рендера Blender, для сравнения"
    ),
    "Stick Figures": "Человечки из палочек",
    "Lines from joint to joint; the character itself is not drawn": (
        "Линии от сустава к суставу; сам персонаж не рисуется"
    ),
    "Mannequins": "Манекены",
    "Ellipses and boxes around the bones, as drawing books teach": (
        "Эллипсы и коробки вокруг костей, как учат пособия по рисованию"
    ),
    "What the lines are drawn with; Freestyle draws its own": (
        "Чем проведены линии; у Freestyle они свои"
    ),
    "Plain": "Простая линия",
    "Thin even black lines": "Тонкие ровные чёрные линии",
    "Any Tool": "Любой инструмент",
    "Another tool for each drawing": "Для каждого рисунка — другой инструмент",
    "Pen": "Перо",
    "A drawing pen or felt pen in a practised hand": "Линер или фломастер в опытной руке",
    "Brush": "Кисть",
    "A loaded brush, thick in the middle of each stroke": (
        "Напитанная тушью кисть, штрих толще в середине"
    ),
    "Pencil": "Карандаш",
    "Grey and grainy, with several searching lines": (
        "Серый и зернистый, с несколькими поисковыми линиями"
    ),
    "Unpractised Hand": "Неопытная рука",
    "One thin line of somebody who seldom draws": "Одна тонкая линия того, кто редко рисует",
    "Pictogram": "Пиктограмма",
    "One fat even line, as on signs": "Одна жирная ровная линия, как на указателях",
    "Engraving": "Гравюра",
    "Steel pen and wood engraving of the nineteenth century": (
        "Стальное перо и ксилография девятнадцатого века"
    ),
    "Size": "Размер",
    "Width and height of the drawings": "Ширина и высота рисунков",
    "Write every drawing as a PNG file; records of strokes can do without": (
        "Записывать каждый рисунок файлом PNG; записи штрихов обходятся без него"
    ),
    "What to write down about each figure": "Что записывать о каждой фигуре",
    "Keypoints": "Ключевые точки",
    "23 joints in pixels, and whether each is seen, hidden or outside": (
        "23 сустава в пикселях, и виден ли каждый, скрыт или за краем"
    ),
    "Mask": "Маска",
    "Which pixels show the figure, and its exact box and area": (
        "Какие пиксели показывают фигуру, её точная рамка и площадь"
    ),
    "Body Parts": "Части тела",
    "A picture that tells 14 body parts apart": "Изображение, различающее 14 частей тела",
    "Surface (UV)": "Поверхность (UV)",
    "A picture with the place on the body's surface under each pixel": (
        "Изображение с местом на поверхности тела под каждым пикселем"
    ),
    "A picture with the distance from the camera under each pixel": (
        "Изображение с расстоянием от камеры под каждым пикселем"
    ),
    "3D Joints": "Суставы в 3D",
    "Joints in metres, rotations of the bones, and the camera": (
        "Суставы в метрах, вращения костей и камера"
    ),
    "Strokes": "Штрихи",
    "Every line as a record that can be redrawn in another style later": (
        "Каждая линия как запись, которую потом можно перерисовать в другом стиле"
    ),
    (
        "Characters that are kept for validation: their file names without ending, with commas "
        "between them; “auto” chooses one in ten, “none” trains on all"
    ): (
        "Персонажи, отложенные для проверки: имена файлов без расширения через запятую; "
        "«auto» выбирает одного из десяти, «none» обучает на всех"
    ),
    "Stop after about this many drawings, of all characters; 0 draws everything": (
        "Остановиться примерно после стольких рисунков всех персонажей; 0 — рисовать всё"
    ),
    "Seed": "Начальное значение",
    "Every random choice follows from it: the same seed gives the same dataset": (
        "От него зависит каждый случайный выбор: то же значение даёт тот же набор данных"
    ),
    (
        "Blenders that draw side by side without a window; one for each processor core is fastest, "
        "fewer leave you some of the machine. The dataset is the same"
    ): (
        "Сколько экземпляров Blender рисуют одновременно, без окна; быстрее всего — по одному "
        "на ядро процессора, а меньшее число оставит часть ресурсов вам. Набор данных "
        "получится тот же"
    ),
    # Tooltips
    "Add a wooden mannequin and choose it as the character to pose": (
        "Добавить деревянный манекен и выбрать его персонажем"
    ),
    "Pose the character like the figure in the drawing": (
        "Поставить персонажа в позу фигуры на рисунке"
    ),
    "Choose the bone that stands for this part of the body; none leaves it out": (
        "Выбрать кость, отвечающую за эту часть тела; пустое поле исключает её"
    ),
    "Forget the bones chosen by hand, and find them by their names and places": (
        "Забыть выбранные вручную кости и найти их по именам и расположению"
    ),
    "Look at the character through the drawing's camera": (
        "Посмотреть на персонажа через камеру рисунка"
    ),
    "Look at the character from the side, at what the drawing does not show": (
        "Посмотреть на персонажа сбоку — на то, чего рисунок не показывает"
    ),
    "Pose the next likeliest way to read the drawing in depth": (
        "Поставить позу по следующей по вероятности трактовке глубины рисунка"
    ),
    "Pose the likelier way to read the drawing that comes before this one": (
        "Поставить позу по предыдущей, более вероятной трактовке рисунка"
    ),
    "Pose the likeliest way to read the drawing again": (
        "Вернуться к самой вероятной трактовке рисунка"
    ),
    (
        "Take the drawn left limbs for the right ones, and the right ones for the left: a figure "
        "that faced us then often turns its back"
    ): (
        "Принять левые конечности на рисунке за правые, а правые за левые: фигура, стоявшая к нам "
        "лицом, при этом часто поворачивается спиной"
    ),
    (
        "Insert keyframes for the character's trunk and limbs at the current frame, but none on "
        "locked channels"
    ): (
        "Вставить в текущем кадре ключевые кадры для туловища и конечностей персонажа, кроме "
        "заблокированных каналов"
    ),
    (
        "Save the character's pose as an asset with the drawing as its thumbnail, in this file or "
        "in the asset library that is chosen in the preferences of Croquis"
    ): (
        "Сохранить позу персонажа как ассет с рисунком в качестве миниатюры — в этом файле или в "
        "библиотеке ассетов, выбранной в настройках Croquis"
    ),
    "Pose the character as the drawing of a pose file (.json) shows it": (
        "Поставить персонажа в позу из файла позы (.json)"
    ),
    "Add picture files to the list, several at once, in the order of their names": (
        "Добавить в список файлы изображений, сразу несколько, в порядке имён"
    ),
    "Pose the character as all drawings of the list show it together": (
        "Поставить персонажа в позу по всем рисункам списка вместе"
    ),
    (
        "Open a picture or a film as the drawing; several pictures go to the list of several "
        "drawings"
    ): ("Открыть изображение или видео как рисунок; несколько изображений попадут в список"),
    "Use the last render as the drawing": "Взять последний рендер как рисунок",
    (
        "Use what this viewport shows as the drawing: on white, without grid, bones and other "
        "helpers"
    ): (
        "Взять как рисунок то, что видно в этом вьюпорте: на белом фоне, без сетки, костей и "
        "прочего"
    ),
    "Drag the joint to where it is in the drawing, and the character follows. Click it for more": (
        "Перетащите сустав туда, где он на рисунке, и персонаж последует. Щелчок откроет меню"
    ),
    "Put a joint back to where Croquis has found it in the drawing": (
        "Вернуть сустав туда, где его нашёл на рисунке Croquis"
    ),
    "Put all joints back to where Croquis has found them in the drawing": (
        "Вернуть все суставы туда, где их нашёл на рисунке Croquis"
    ),
    (
        "Add the frames of this image sequence or movie to the list of several drawings, each at "
        "the frame where it is seen"
    ): (
        "Добавить кадры этой последовательности изображений или видео в список рисунков, каждый — "
        "в том кадре, где он виден"
    ),
    (
        "Click the figure in the drawing whose pose is wanted, or drag a box around one that was "
        "not found as a whole"
    ): (
        "Щёлкните на рисунке фигуру, чья поза нужна, или обведите рамкой ту, что найдена не целиком"
    ),
    "Let the next Pose Sequence pose this drawing anew": (
        "При следующем запуске «Позы по последовательности» заново поставить позу по этому рисунку"
    ),
    (
        "Use what a Grease Pencil object shows at this frame as the drawing, seen as in this "
        "viewport. Once a character is posed from it, the picture stands in for the strokes"
    ): (
        "Взять как рисунок то, что объект Grease Pencil показывает в этом кадре, каким его видно в "
        "этом вьюпорте. Когда по нему поставлена поза, изображение заменяет штрихи"
    ),
    "Write the pose of the character's trunk and limbs, or their animation, as BVH": (
        "Записать позу туловища и конечностей персонажа или их анимацию в BVH"
    ),
    (
        "Write the keypoints of the drawing, the joints in space, the bones' rotations and the "
        "camera, for other programs and for posing another character"
    ): (
        "Записать ключевые точки рисунка, суставы в пространстве, вращения костей и камеру — для "
        "других программ и для позы другого персонажа"
    ),
    (
        "Read a limb the other way in depth: what came towards us goes away from us. It looks the "
        "same in the drawing's view, and the rest of the pose stays"
    ): (
        "Прочитать глубину конечности наоборот: что шло к нам, уходит от нас. В виде рисунка "
        "ничего не меняется, остальная поза сохраняется"
    ),
    (
        "Read the {} the other way in depth. It looks the same in the drawing's view, and the rest "
        "of the pose stays"
    ): (
        "Прочитать глубину наоборот: {}. В виде рисунка ничего не меняется, остальная поза "
        "сохраняется"
    ),
    (
        "Leave a joint of the drawing out of account, as it is hidden or was not found: the rest "
        "of the figure tells where it goes"
    ): (
        "Не учитывать сустав рисунка, так как он скрыт или не найден: его место подскажет "
        "остальная фигура"
    ),
    (
        "Keep the character's pose at this drawing's frame as you have corrected it, keyed; the "
        "next Pose Sequence lets the neighbouring drawings follow it"
    ): (
        "Закрепить ключевыми кадрами исправленную вами позу персонажа в кадре этого рисунка; "
        "при следующем запуске «Позы по последовательности» соседние рисунки подстроятся под "
        "неё"
    ),
    "Turn the view to the posed character": "Повернуть вид к персонажу в позе",
    "Move this drawing in the list; the frames stay where they are": (
        "Переместить этот рисунок в списке; кадры остаются на своих местах"
    ),
    (
        "Insert keyframes for the character's pose at the frame of each drawing; depth is read "
        "from the sequence as a whole, and reference drawings keep the pose that you gave them"
    ): (
        "Вставить ключевые кадры позы персонажа в кадре каждого рисунка; глубина читается по всей "
        "последовательности, а опорные рисунки сохраняют заданную вами позу"
    ),
    "Take this drawing off the list; its picture and keyframes stay in the file": (
        "Убрать этот рисунок из списка; его изображение и ключевые кадры остаются в файле"
    ),
    (
        "Draw every character in every animation from all cameras as sketches with known joints; "
        "Esc stops, and a later run goes on from there"
    ): (
        "Нарисовать каждого персонажа в каждой анимации со всех камер — наброски с известными "
        "суставами; Esc останавливает, следующий запуск продолжит с этого места"
    ),
    (
        "Show drawings and labels of the dataset in the output folder, as far as it is finished, "
        "in a new window"
    ): (
        "Показать в новом окне рисунки и разметку набора данных из папки вывода — всё, что уже "
        "готово"
    ),
    # Properties of operators
    "Part": "Часть",
    "Part of the body that the bone stands for": "Часть тела, за которую отвечает кость",
    "Bone": "Кость",
    "Bone of the character, empty for none": "Кость персонажа; пустое поле — без кости",
    "Which figure of the drawing: 1 is the largest": "Какая фигура рисунка: 1 — самая крупная",
    "Box": "Рамка",
    (
        "Left, top, width and height of the figure in pixels of the drawing; all zero, Croquis "
        "looks for the figure"
    ): (
        "Левый край, верх, ширина и высота фигуры в пикселях рисунка; если все нули, Croquis ищет "
        "фигуру сам"
    ),
    "Add only every N-th frame": "Добавить только каждый N-й кадр",
    "Frames": "Кадры",
    "What to write": "Что записать",
    "Current Pose": "Текущая поза",
    "The pose as it is now, as a single frame": "Поза, какая она сейчас, одним кадром",
    "Scene Range": "Диапазон сцены",
    "All frames from the scene's first to its last": "Все кадры сцены, от первого до последнего",
    "Limb": "Конечность",
    "The limb; an arm or a leg takes its lower half along where it bends that way": (
        "Конечность; у руки или ноги поворачивается и нижняя половина, если она сгибается в "
        "эту сторону"
    ),
    "Joint": "Сустав",
    "The joint of the drawing, left and right being the character's own": (
        "Сустав на рисунке; лево и право — с точки зрения персонажа"
    ),
    "Hidden": "Скрыт",
    "Without it, a hidden joint counts again": "Если снять, скрытый сустав снова учитывается",
    "Side": "Сторона",
    "From where to look": "Откуда смотреть",
    "Look through the drawing's camera": "Смотреть через камеру рисунка",
    "Look from the side, at what the drawing does not show": (
        "Смотреть сбоку — на то, чего рисунок не показывает"
    ),
    "Limbs": "Конечности",
    "Whose left and right are exchanged": "У чего меняются местами лево и право",
    "The whole figure": "У всей фигуры",
    "Only the arms and the chest": "Только у рук и груди",
    "Only the legs and the hips": "Только у ног и таза",
    "Direction": "Направление",
    "Where in the list it goes": "Куда он перемещается в списке",
    "Up": "Вверх",
    "Earlier": "Раньше",
    "Down": "Вниз",
    "Later": "Позже",
    "Pixels of the drawing, to the right": "Пиксели рисунка, вправо",
    "Pixels of the drawing, downwards": "Пиксели рисунка, вниз",
    # Progress
    "Starting": "Запуск",
    "Stop Rendering": "Остановить рендер",
    "Stop Posing": "Остановить",
    "Esc stops; finished clips are kept": "Esc останавливает; готовые клипы сохраняются",
    "Click a figure, or drag a box around one; Esc leaves the pose as it is": (
        "Щёлкните фигуру или обведите её рамкой; Esc оставляет позу как есть"
    ),
    "{}: release or click to leave it here, Esc to take it back": (
        "{:text}: отпустите или щёлкните, чтобы оставить здесь, Esc — вернуть назад"
    ),
    "{} of {} drawings": "рисунков: {:number} из {:number}",
    "{} per second, {} left": "{:number} в секунду, осталось {:text}",
    "{} failed, see failed.json": "не удалось: {}, см. failed.json",
    "{} s": "{:number} с",
    "{} min": "{:number} мин",
    "{} h {} min": "{:number} ч {:number} мин",
    "Reading “{}”": "Чтение «{}»",
    "Reading {}": "Чтение {}",
    "Reading depth from all drawings": "Чтение глубины по всем рисункам",
    "Posing frame {}": "Поза в кадре {:number}",
    "Posing the character": "Постановка позы персонажа",
    "Inserting keyframes": "Вставка ключевых кадров",
    "Looking for what is done already": "Поиск уже готового",
    "Loading {}": "Загрузка {}",
    "Gathering the annotations": "Сбор аннотаций",
    "Flip {}": "Развернуть: {:list}",
    # Sentences
    "Add drawings first.": "Сначала добавьте рисунки.",
    "Add two drawings of the pose or more.": "Добавьте хотя бы два рисунка этой позы.",
    "Choose a drawing first.": "Сначала выберите рисунок.",
    "Choose an armature first.": "Сначала выберите арматуру.",
    "Choose an armature in the Croquis panel first.": (
        "Сначала выберите арматуру на панели Croquis."
    ),
    "Choose an armature and select bones of it, or apply the pose to the whole rig.": (
        "Выберите арматуру и выделите её кости или примените позу ко всему ригу."
    ),
    "Select bones of “{}” in Pose Mode, or apply the pose to the whole rig.": (
        "Выделите кости «{}» в режиме позы или примените позу ко всему ригу."
    ),
    (
        "Select bones of “{}” that belong to its trunk or limbs, or apply the pose to the whole "
        "rig."
    ): (
        "Выделите кости «{}», относящиеся к туловищу или конечностям, или примените позу ко всему "
        "ригу."
    ),
    "Go back to Object Mode first.": "Сначала вернитесь в режим объекта.",
    "Go back to Object Mode or Pose Mode first.": (
        "Сначала вернитесь в режим объекта или в режим позы."
    ),
    "“{}” is linked from a library; make a library override first.": (
        "«{}» — связанный объект из библиотеки; сначала создайте переопределение библиотеки."
    ),
    "“{}” is not an armature; choose an armature.": "«{}» не арматура; выберите арматуру.",
    "“{}” is not in this view layer; choose another armature.": (
        "«{}» нет в этом слое визуализации; выберите другую арматуру."
    ),
    "“{}” has no drawing yet; press Pose from Sketch first.": (
        "У «{}» ещё нет рисунка; сначала нажмите «Поза по рисунку»."
    ),
    "“{}” has a zero or negative scale; apply its scale (Ctrl+A) first.": (
        "У «{}» нулевой или отрицательный масштаб; сначала примените масштаб (Ctrl+A)."
    ),
    "Pose a character from a drawing first.": "Сначала поставьте персонажа в позу по рисунку.",
    "This works in a 3D viewport.": "Это работает в 3D-вьюпорте.",
    "A dataset is being rendered already; press Esc to stop it.": (
        "Набор данных уже рендерится; чтобы остановить, нажмите Esc."
    ),
    "Choose the folder “{}” first.": "Сначала выберите папку «{:text}».",
    "Nothing is drawn on this page; choose a picture with a figure on it.": (
        "На этой странице ничего не нарисовано; выберите изображение с фигурой."
    ),
    "The box around the figure is empty or endless; draw it again.": (
        "Рамка вокруг фигуры пуста или бесконечна; нарисуйте её заново."
    ),
    "There is no render yet; render the scene first (F12).": (
        "Рендера ещё нет; сначала отрендерите сцену (F12)."
    ),
    "Posed “{}”: {} of {} joints clear.": (
        "«{}» в позе: ясно видно суставов — {:number} из {:number}."
    ),
    "Reading {} of {}, {} likely.": "Трактовка {:number} из {:number}, вероятность {:number}.",
    "Inserted keyframes for {} bones at frame {}.": (
        "Ключевые кадры вставлены: костей — {:number}, кадр {:number}."
    ),
    "Found {} of {} bones.": "Найдено костей: {:number} из {:number}.",
    "“{}”: {}": "«{}»: {:text}",
    "Not all follows the drawing: {} hold {}.": (
        "Не всё следует рисунку: {:list} удерживают {:list}."
    ),
    "“{}” has a place or bones that are not numbers; put them right first.": (
        "У «{}» в положении или в костях не числа; сначала исправьте это."
    ),
    "The limbs of a rig with controls keep their lengths.": (
        "У рига с контроллерами конечности сохраняют свою длину."
    ),
    "{} holds no mesh to draw; choose a file with its skin.": (
        "В {} нет меша, который можно нарисовать; выберите файл с телом персонажа."
    ),
    "There is no file {}.": "Нет файла {}.",
    "{} cannot be imported; use one of {}.": (
        "{} нельзя импортировать; используйте один из форматов: {}."
    ),
    "{} could not be imported: {}.": "{} не удалось импортировать: {}.",
    "{} holds no armature; choose a rigged character.": (
        "В {} нет арматуры; выберите персонажа с ригом."
    ),
    "It ended in an error of Croquis ({}: {}).": "Завершилось ошибкой Croquis ({}: {}).",
    "{}: {}; put that right and start again, the finished clips are kept.": (
        "{}: {}; исправьте это и запустите снова, готовые клипы сохранены."
    ),
    "Blender has not said a word for {} seconds.": "Blender не отвечает уже {:number} с.",
    "Blender does not start: {}": "Blender не запускается: {:text}",
    "It crashes Blender.": "От этого Blender аварийно завершается.",
    "Pose “{}” from a drawing first.": "Сначала поставьте «{}» в позу по рисунку.",
    "{} is damaged; delete it and start again.": "{} повреждён; удалите его и запустите снова.",
    "A picture of the viewport needs a 3D viewport in Blender's window.": (
        "Для снимка вьюпорта нужен 3D-вьюпорт в окне Blender."
    ),
    "There is no picture at {}; choose another file.": "Нет изображения {}; выберите другой файл.",
    "{} holds no animation.": "В {} нет анимации.",
    "{} holds no armature, so it has no motion.": "В {} нет арматуры, а значит, и движения.",
    "“{}” has no pixels; choose another drawing.": "У «{}» нет пикселей; выберите другой рисунок.",
    "The folder {} of the asset library “{}” does not exist.": (
        "Папки {} библиотеки ассетов «{}» не существует."
    ),
    "There is no asset library “{}”; choose another in the preferences of Croquis.": (
        "Нет библиотеки ассетов «{}»; выберите другую в настройках Croquis."
    ),
    "“{}” has controls or feet of their own; export its deforming bones as one skeleton.": (
        "У «{}» есть контроллеры или отдельные стопы; экспортируйте его деформирующие кости одним "
        "скелетом."
    ),
    "A drawing or the character was deleted meanwhile; start again.": (
        "Рисунок или персонаж тем временем удалён; начните снова."
    ),
    "A model sheet needs two drawings of the pose or more.": (
        "Для листа персонажа нужны хотя бы два рисунка позы."
    ),
    "Go to frame {}, where this drawing is, first.": (
        "Сначала перейдите в кадр {:number}, где находится этот рисунок."
    ),
    "Pose the sequence first.": "Сначала поставьте позы по последовательности.",
    "The other drawings contradict {}.": "Остальным рисункам противоречит: {:list}.",
    "Posed “{}” from {} drawings.": "«{}» в позе, рисунков: {:number}.",
    "{} are both at frame {}; move one of them.": (
        "{:list} стоят в одном кадре ({:number}); переместите один из них."
    ),
    "The scene has no camera; add one that looks at the drawing.": (
        "В сцене нет камеры; добавьте камеру, направленную на рисунок."
    ),
    "No {}: they hold nothing to draw.": "Нет {:text}: там нечего рисовать.",
    "No {}; {} fails: {}": "Нет {:text}; {} не подходит: {:text}",
    "{} is not a BVH file that Croquis can read: {}.": (
        "{} — не файл BVH, который умеет читать Croquis: {:text}."
    ),
    "{} is damaged; delete it, the next run writes it anew.": (
        "{} повреждён; удалите его, следующий запуск запишет его заново."
    ),
    "{} cannot be read as COCO JSON: {}.": "{} нельзя прочитать как COCO JSON: {}.",
    "{} is not a COCO keypoint file: {}.": "{} — не файл ключевых точек COCO: {}.",
    "A limit cannot be negative; 0 means no limit.": (
        "Предел не может быть отрицательным; 0 — без предела."
    ),
    "A picture can show one to three figures, for instance 1-3.": (
        "На изображении может быть от одной до трёх фигур, например 1-3."
    ),
    "Choose at least one style.": "Выберите хотя бы один стиль.",
    "No character is called {}; there are {}.": "Нет персонажа с именем {}; есть {}.",
    "Pose noise must lie between 0 and 1.": "Шум позы должен быть от 0 до 1.",
    "The seed cannot be negative.": "Начальное значение не может быть отрицательным.",
    "The style {} draws no surface, so it has no label {}: leave one of them out.": (
        "Стиль {} не рисует поверхность, поэтому у него нет разметки {}: уберите одно из двух."
    ),
    "There is no {} {}; there are {}.": "Нет такого значения ({:text}): {}; есть {}.",
    "Two {} files are called {}; rename one of them.": (
        "Два файла ({:text}) называются {}; переименуйте один из них."
    ),
    "Without pictures and labels there is nothing to write.": (
        "Без изображений и разметки записывать нечего."
    ),
    "{} holds a dataset made with another {}; choose another folder or the same settings.": (
        "В {} набор данных с другими настройками ({:text}); выберите другую папку или те же "
        "настройки."
    ),
    "{} holds no dataset: there is no dataset.json.": (
        "В {} нет набора данных: нет файла dataset.json."
    ),
    "{} is damaged; choose another output folder.": "{} повреждён; выберите другую папку вывода.",
    "{} must lie between {} and {}.": "Значение «{:text}» должно быть от {:number} до {:number}.",
    "{}: {} times ({}).": "{}: раз — {} ({}).",
    "The card {}.json belongs to another network; {}.": (
        "Карточка {}.json принадлежит другой нейросети; {:text}."
    ),
    "The keypoint network {} is damaged; {}.": "Нейросеть ключевых точек {} повреждена; {:text}.",
    "The keypoint network {} was made for another version of Croquis; {}.": (
        "Нейросеть ключевых точек {} сделана для другой версии Croquis; {:text}."
    ),
    "The keypoint network's card {}.json is damaged; {}.": (
        "Карточка нейросети ключевых точек {}.json повреждена; {:text}."
    ),
    "The keypoint network's file {} cannot be read; {}.": (
        "Файл нейросети ключевых точек {} нельзя прочитать; {:text}."
    ),
    "The page shows only {}; choose one of them.": "На странице {:text}; выберите одну из них.",
    "{} is not a keypoint network of Croquis; {}.": (
        "{} — не нейросеть ключевых точек Croquis; {:text}."
    ),
    "There is no folder {}.": "Нет папки {}.",
    "{} holds no {}; put {} files there.": (
        "В {} нет подходящих файлов ({:text}); положите туда файлы {}."
    ),
    "There is no movie at {}; choose another file.": "Нет видео {}; выберите другой файл.",
    "{} is damaged or is not a movie that Croquis can read; save it as pictures.": (
        "{} повреждён или это не видео, которое умеет читать Croquis; сохраните его кадры "
        "изображениями."
    ),
    "A mask in clips/{}.json does not decode; delete it and render again.": (
        "Маска в clips/{}.json не декодируется; удалите файл и отрендерите снова."
    ),
    "{} holds no finished clip; let render_dataset.py go on.": (
        "В {} нет готового клипа; дайте render_dataset.py продолжить."
    ),
    "{} is a dataset of schema {}, and this version reads {}; render it again.": (
        "{} — набор данных по схеме {}, а эта версия читает {}; отрендерите его снова."
    ),
    "{} is damaged ({}); delete clips/{}.json and render again.": (
        "{} повреждён ({}); удалите clips/{}.json и отрендерите снова."
    ),
    "{} is damaged ({}); delete it and render the clip again.": (
        "{} повреждён ({}); удалите его и отрендерите клип снова."
    ),
    "{} is damaged: {} has the shape {}.": "{} повреждён: у {} форма {}.",
    "{} is damaged; delete clips/{}.json and render again.": (
        "{} повреждён; удалите clips/{}.json и отрендерите снова."
    ),
    "{} is not a file of 3D joints: {}.": "{} — не файл суставов в 3D: {}.",
    "{} names no labels; render the dataset again.": (
        "В {} не названа разметка; отрендерите набор данных снова."
    ),
    "{} could not be read ({}); choose another file.": (
        "{} не удалось прочитать ({:text}); выберите другой файл."
    ),
    "{} is an empty file; choose a picture (PNG or JPEG).": (
        "{} — пустой файл; выберите изображение (PNG или JPEG)."
    ),
    "{} is damaged or is not a picture that Croquis can read; save it again as PNG or JPEG.": (
        "{} повреждён или это не изображение, которое умеет читать Croquis; сохраните его снова "
        "как PNG или JPEG."
    ),
    "Drawing {} shows too few joints; leave it out.": (
        "На рисунке {:number} слишком мало суставов; уберите его."
    ),
    "Nothing is drawn in this view; draw a figure, or look at it.": (
        "В этом виде ничего не нарисовано; нарисуйте фигуру или поверните вид к ней."
    ),
    "{} is not a pose of Croquis: {}; choose another file.": (
        "{} — не поза Croquis: {:text}; выберите другой файл."
    ),
    (
        "Croquis finds no {} in the armature: choose a humanoid armature, or choose its bones by "
        "hand under Character > Bones."
    ): (
        "Croquis не находит в арматуре {:list}: выберите арматуру человека или укажите её "
        "кости вручную в разделе «Персонаж > Кости»."
    ),
    "The armature has no bone “{}”; choose another for {}.": (
        "В арматуре нет кости «{}»; выберите другую (часть тела: {:text})."
    ),
    "“{}” does not hang from “{}”; choose a bone below it for {}.": (
        "«{}» не является потомком кости «{}»; выберите кость ниже по иерархии (часть тела: "
        "{:text})."
    ),
    "“{}” is a bone of the {} side; choose another for {}.": (
        "Кость «{}» относится к другой стороне тела ({:text}); выберите другую (часть тела: "
        "{:text})."
    ),
    "“{}” is chosen for {} and for {}; choose another for one.": (
        "«{}» выбрана для двух частей тела ({:text}; {:text}); выберите для одной из них "
        "другую кость."
    ),
    "A contact sheet needs at least one drawing and one column.": (
        "Контактному листу нужны хотя бы один рисунок и один столбец."
    ),
    "{} has no label {}; it has {}.": "В {} нет разметки {}; есть {}.",
    "{} is missing; delete clips/{}.json, render again.": (
        "{} отсутствует; удалите clips/{}.json и отрендерите снова."
    ),
    "Open a scene with a view layer first.": "Сначала откройте сцену со слоем визуализации.",
    "All joints are where they were found.": "Все суставы там, где были найдены.",
    "Drag joints in a 3D viewport in which the drawing is seen.": (
        "Перетаскивайте суставы в 3D-вьюпорте, где виден рисунок."
    ),
    "No joint is corrected.": "Ни один сустав не исправлен.",
    "The character was deleted meanwhile; choose another.": (
        "Персонаж тем временем удалён; выберите другого."
    ),
    "{}: bone “{}”.": "{:text}: кость «{}».",
    "{}: no bone.": "{:text}: без кости.",
    "{} is where it was found.": "{:text}: на найденном месте.",
    "{} moved.": "Передвинуто: {:text}.",
    "{} hidden.": "Скрыто: {:text}.",
    "{} shown.": "Показано: {:text}.",
    "Stopped; {} kept in {}, and Render Dataset goes on from there.": (
        "Остановлено; сохранено в {1}: {0:text}. «Рендер набора данных» продолжит с этого места."
    ),
    "The contact sheet is {}.": "Контактный лист: {}.",
    "{}; {} shows some.": "{:text}; примеры в {}.",
    "{}; {}; {} shows some.": "{:text}; {:text}; примеры в {}.",
    "{}; without a contact sheet: {}": "{:text}; без контактного листа: {:text}",
    "Added {} drawings to the list of several drawings.": "Добавлено в список рисунков: {:number}.",
    "Added {} to the list of several drawings.": "Добавлено в список: {:text}.",
    "Added {}.": "Добавлено: {:text}.",
    "Choose a picture.": "Выберите изображение.",
    "Choose an image sequence or a movie as the drawing first.": (
        "Сначала выберите рисунком последовательность изображений или видео."
    ),
    "Show and select the Grease Pencil object that holds the drawing.": (
        "Покажите и выделите объект Grease Pencil с рисунком."
    ),
    "“{}” is the drawing now.": "Теперь рисунок — «{}».",
    "Choose a file first.": "Сначала выберите файл.",
    "Saved the pose asset “{}” {}.": "Ассет позы «{}» сохранён {:text}.",
    "Wrote {}.": "Записан файл {}.",
    "Posed “{}” as in {}.": "«{}» в позе из файла {}.",
    "Choose figures in a 3D viewport in which the drawing is seen.": (
        "Выбирайте фигуры в 3D-вьюпорте, где виден рисунок."
    ),
    "The drawing is not in the scene; pose the character again.": (
        "Рисунка нет в сцене; снова поставьте персонажа в позу."
    ),
    "The whole figure was posed anew.": "Поза всей фигуры поставлена заново.",
    "A knee does not bend that way, so it is kept straight.": (
        "Колено так не сгибается, поэтому оно оставлено прямым."
    ),
    "Left and right: arms {}, legs {} likely.": (
        "Лево и право, вероятность: руки {:number}, ноги {:number}."
    ),
    "{}: {}, {} likely.": "{:text}: {:text}, вероятность {:number}.",
    "A drawing of the list is no longer in the file; remove it from the list.": (
        "Рисунка из списка больше нет в файле; уберите его из списка."
    ),
    "Stopped; nothing has changed.": "Остановлено; ничего не изменилось.",
    "The list of drawings has changed meanwhile; start again.": (
        "Список рисунков тем временем изменился; начните снова."
    ),
    "Check {} first.": "Сначала проверьте {:list}.",
    "Keyed “{}” at {} frames.": "«{}»: ключевых кадров — {:number}.",
    "“{}” is a reference now; pose the sequence again.": (
        "«{}» теперь опорный; снова поставьте позы по последовательности."
    ),
    # Words in sentences
    "“{}”": "«{}»",
    " and ": " и ",
    " and {} more": " и ещё {:number}",
    " and no ": " и ",
    "{} in “{}”": "{:text} на рисунке «{}»",
    "constraints": "ограничения",
    "drivers": "драйверы",
    "locked channels": "заблокированные каналы",
    "other bones": "другие кости",
    "one figure": "одна фигура",
    "{} figures": "фигур: {:number}",
    "1 drawing": "1 рисунок",
    "{} drawings": "рисунков — {:number}",
    "1 frame": "1 кадр",
    "{} frames": "кадров — {:number}",
    "{} drawings in {}": "Рисунков в {1}: {0:number}",
    "as {}": "как {}",
    "in this file": "в этом файле",
    "in front": "спереди",
    "behind": "сзади",
    "character": "персонаж",
    "animation": "анимация",
    "drawing": "рисунок",
    "style": "стиль",
    "ink": "инструмент",
    "label": "разметка",
    "image": "изображение",
    "joints": "суставы",
    "camera": "камера",
    "unknown reason": "причина неизвестна",
    "install Croquis again": "установите Croquis заново",
    "choose another network": "выберите другую нейросеть",
    "1 finished clip is": "1 готовый клип",
    "{} finished clips are": "готовых клипов — {:number}",
    "animation in {} can be used": "пригодной анимации в {}",
    "character in {} can be drawn": "пригодного персонажа в {}",
    "it has no “{}”": "в нём нет «{}»",
    "it is not JSON, or is cut short": "это не JSON, или файл обрезан",
    "a list, a table or a number is not where it should be": (
        "список, таблица или число стоят не на своём месте"
    ),
    "it is not marked as “{}”": "в нём нет пометки «{}»",
    "it is of version {}, and this Croquis reads {}": "это версия {}, а этот Croquis читает {}",
    "its camera is neither orthographic nor perspective but “{}”": (
        "его камера не ортографическая и не перспективная, а «{}»"
    ),
    "its {} are not {} numbers": "{:text}: должно быть чисел — {}",
    "its {} hold something that is not a number": "{:text}: есть не только числа",
    "its image has no {} in pixels": "у изображения нет размера в пикселях ({})",
    "it is cut short": "файл обрезан",
    "it announces {} frames of {} numbers and holds {}": (
        "объявлено кадров: {}, чисел в кадре: {}, на деле чисел: {}"
    ),
    "its motion holds something that is not a number": "в движении не только числа",
    "“{}” stands where {} should": "«{}» стоит там, где ожидалось {}",
    "“{}” stands outside its joints": "«{}» стоит вне суставов",
    "“{}” is nothing that a joint has": "«{}» не бывает у сустава",
    "a joint is not closed": "сустав не закрыт",
    "it has no joints": "в нём нет суставов",
    "the channels {} are not all places and rotations": (
        "каналы {} — не только положения и вращения"
    ),
    "it says nothing.": "причины он не называет.",
}
